import { expect, test } from "bun:test";
import { join } from "node:path";

test("stands back behind other processes", async () => {
  const module = JSON.stringify(join(import.meta.dir, "stand-back.ts"));
  const code = `import { standBack } from ${module}; import { getPriority } from "node:os";
    standBack(); console.log(getPriority());`;
  // In a process of its own: this one must not stand back.
  const child = Bun.spawn([process.execPath, "-e", code], { stdout: "pipe", stderr: "inherit" });
  expect(Number(await new Response(child.stdout).text())).toBe(10);
});
