/** What each script does with words: help is printed, what it doesn't know is refused, and neither does anything else. */

import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { run } from "../../src/lib/run.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SCRIPTS = readdirSync(`${ROOT}script`, { withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ name }) => name);
/** Less than any of them takes for what it is there for. */
const PATIENCE = { timeoutMs: 20_000, cwd: "/" };

test("there are scripts", () => {
  expect(SCRIPTS).toContain("bootstrap");
  expect(SCRIPTS).toContain("test");
});

for (const name of SCRIPTS) {
  test(`script/${name} --help tells what it is for`, async () => {
    for (const word of ["--help", "-h"]) {
      const { exitCode, stdout, stderr } = await run([`${ROOT}script/${name}`, word], PATIENCE);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(stdout).toStartWith(`script/${name}`);
    }
  });

  test(`script/${name} refuses a word that it doesn't know`, async () => {
    const { exitCode, stdout, stderr } = await run([`${ROOT}script/${name}`, "--hlep"], PATIENCE);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(/--hlep/);
    expect(stderr).toContain(`script/${name}`);
  });
}
