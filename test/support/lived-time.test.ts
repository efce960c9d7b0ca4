import { expect, test } from "bun:test";
import { waitFor } from "../../src/lib/wait.ts";
import { LivedTime } from "./lived-time.ts";

test("time passes as usual while the process runs, and hardly while it stands still", async () => {
  const time = new LivedTime();
  const first = performance.now();
  // A busy machine may let it live through little of a second.
  const isLong = () => time.between(first, performance.now()) > 300;
  expect(await waitFor(isLong, { timeoutMs: 20_000, everyMs: 10 })).toBe(true);
  const second = performance.now();
  Bun.sleepSync(1_000);
  const third = performance.now();
  await Bun.sleep(0);
  time.stop();
  expect(time.between(second, third)).toBeLessThanOrEqual(100);
});
