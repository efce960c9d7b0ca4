import { expect, test } from "bun:test";
import { asId, type VmId } from "../domain/ids.ts";
import { AppError } from "../lib/errors.ts";
import { clearRemains } from "./clear-remains.ts";

const VM = asId<VmId>(7);

/** `lives` is how often it must be killed. */
function remainsOf(lives: number, faults: readonly AppError[] = []) {
  const [left, done] = [{ lives, faults: [...faults] }, [] as string[]];
  return {
    done,
    survivor: "its QEMU",
    isAlive: async () => left.lives > 0,
    kill: async () => {
      left.lives--;
      done.push("kill");
    },
    cleanUp: async () => {
      done.push("clean up");
      const fault = left.faults.shift();
      if (fault !== undefined) throw fault;
    },
  };
}

test("what lives is killed before anything is cleaned up, as often as it takes", async () => {
  const remains = remainsOf(2, [new AppError("conflict", "it lives again")]);
  await clearRemains(VM, remains);
  expect(remains.done).toEqual(["kill", "kill", "clean up", "clean up"]);
});

test("what can't be cleaned up for another reason is told at once", async () => {
  const remains = remainsOf(0, [new AppError("driver-failed", "the interface stays")]);
  await expect(clearRemains(VM, remains)).rejects.toThrow("the interface stays");
  expect(remains.done).toEqual(["clean up"]);
});

test("what survives is told of by its name", async () => {
  await expect(clearRemains(VM, remainsOf(Number.POSITIVE_INFINITY), 50)).rejects.toMatchObject({
    code: "blocked",
    message: expect.stringContaining("desktop 7: its QEMU survives KILL"),
  });
});
