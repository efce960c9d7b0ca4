/** What bootstrap and install have in common finds root's programs. */

import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { run } from "../../src/lib/run.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

test("who became root by a plain su has useradd all the same", async () => {
  const text = "program=test; . script/lib/system.sh; command -v useradd";
  const env = { PATH: "/usr/local/bin:/usr/bin:/bin" };
  const { stdout } = await run(["/bin/bash", "-euc", text], { cwd: ROOT, env });
  expect(stdout.trim()).toMatch(/sbin\/useradd$/);
});
