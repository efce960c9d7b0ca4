/** A process whose log file takes no more. */

import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { run } from "../../src/lib/run.ts";

const TELL = fileURLToPath(new URL("../../src/cli/tell.ts", import.meta.url));
const SCRIPT = `
const { tell } = await import(${JSON.stringify(TELL)});
for (let line = 1; line <= 5; line++) { tell("a line\\n"); await Bun.sleep(20); }
process.stdout.write("goes on");`;

const runWith = (errors: string) =>
  run(["/bin/sh", "-c", `exec "$0" -e "$1" 2>${errors}`, process.execPath, SCRIPT]);

test("a process goes on when nothing of what it tells can be written", async () => {
  expect(await runWith("/dev/full")).toMatchObject({ exitCode: 0, stdout: "goes on" });
});

test("what can be written is", async () => {
  expect((await runWith("&1")).stdout).toBe(`${"a line\n".repeat(5)}goes on`);
});
