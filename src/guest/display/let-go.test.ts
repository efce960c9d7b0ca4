import { expect, test } from "bun:test";
import { pressedKeys } from "./let-go.ts";

test("reads keycodes from X's map of what is pressed", () => {
  const map = new Uint8Array(32);
  expect(pressedKeys(map)).toEqual([]);
  map[4] = 0b0010_0000;
  map[31] = 0b1000_0001;
  expect(pressedKeys(map)).toEqual([37, 248, 255]);
});
