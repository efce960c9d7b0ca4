import { expect, test } from "bun:test";
import { oneAtATime } from "./one-at-a-time.ts";

test("who asks during a look has one more, together with all others", async () => {
  let [looks, atOnce, mostAtOnce] = [0, 0, 0];
  const ended = Promise.withResolvers<void>();
  const look = oneAtATime(async () => {
    looks++;
    mostAtOnce = Math.max(mostAtOnce, ++atOnce);
    if (looks === 1) await ended.promise;
    atOnce--;
  });
  const first = look();
  await Promise.all([look(), look(), look()]);
  expect(looks).toBe(1);
  ended.resolve();
  await first;
  expect([looks, mostAtOnce]).toEqual([2, 1]);
  await look();
  expect(looks).toBe(3);
});
