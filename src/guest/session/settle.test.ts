import { expect, test } from "bun:test";
import { untilAborted } from "./settle.ts";

test("waits for the work, and no longer than until a stop", async () => {
  const stop = new AbortController();
  let isDone = false;
  const work = async () => {
    await Bun.sleep(1);
    isDone = true;
  };
  await untilAborted(work(), stop.signal);
  expect(isDone).toBe(true);
  const never = untilAborted(Promise.withResolvers().promise, stop.signal);
  stop.abort();
  expect(await never).toBeUndefined();
  expect(await untilAborted(Promise.withResolvers().promise, stop.signal)).toBeUndefined();
});
