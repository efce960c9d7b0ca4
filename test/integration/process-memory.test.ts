/** What a box's processes tell their allocator: a name that it doesn't know changes nothing and is never heard of. */

import { expect, test } from "bun:test";
import { PROCESS_MEMORY } from "../../src/cli/process-memory.ts";
import { run } from "../../src/lib/run.ts";

test("the allocator of this Bun knows what they tell it", async () => {
  const env = { ...PROCESS_MEMORY, MIMALLOC_VERBOSE: "1" };
  const { stdout, stderr } = await run([process.execPath, "--eval", "0"], { env });
  for (const [name, value] of Object.entries(PROCESS_MEMORY))
    expect(stdout + stderr).toContain(`option '${name.slice("MIMALLOC_".length).toLowerCase()}': ${value}`);
});
