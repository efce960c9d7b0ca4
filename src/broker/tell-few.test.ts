import { expect, test } from "bun:test";
import { tellFew } from "./tell-few.ts";

test("a client that counts is told eight times at most", () => {
  const heard: string[] = [];
  const tell = tellFew((text) => heard.push(text));
  for (let place = 20; place > 0; place--) tell(`number ${place}`);
  expect(heard).toEqual([20, 19, 18, 17, 16, 15, 14, 13].map((place) => `number ${place}`));
});
