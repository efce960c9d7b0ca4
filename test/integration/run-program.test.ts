/** Starting a program of the system, with real ones. */

import { expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { run, runOk } from "../../src/lib/run.ts";

test("a program gets what it is told, and a clean environment", async () => {
  const { exitCode, stdout } = await run(["/bin/sh", "-c", 'cat; echo "$QVD_TOLD $HOME"; exit 3'], {
    stdin: "said\n",
    env: { QVD_TOLD: "yes" },
  });
  expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: "said\nyes \n" });
});

test("a descriptor is the program's third, and stays the caller's", async () => {
  const folder = mkdtempSync("/tmp/qvd-run-");
  writeFileSync(`${folder}/letter`, "read");
  const descriptor = openSync(`${folder}/letter`, "r");
  try {
    for (const _again of [1, 2]) {
      const { stdout } = await run(["/bin/cat", "/proc/self/fd/3"], { descriptor });
      expect(stdout).toBe("read");
    }
  } finally {
    closeSync(descriptor);
    rmSync(folder, { recursive: true });
  }
  expect((await run(["/bin/sh", "-c", "ls /proc/self/fd/3"])).exitCode).not.toBe(0);
});

test("one that goes on past its deadline is killed", async () => {
  const { exitCode } = await run(["/bin/sleep", "60"], { timeoutMs: 100 });
  expect(exitCode).not.toBe(0);
});

test("a failure is told with what was being done and what the program said", async () => {
  const failing = runOk("baking bread", ["/bin/sh", "-c", "echo no flour >&2; exit 4"]);
  await expect(failing).rejects.toMatchObject({
    code: "driver-failed",
    message: "baking bread: /bin/sh ended with 4: no flour",
  });
});
