import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "qvd-back-"));

/** In a process of its own: this one must not stand back. */
async function standBackWith(file: string) {
  const module = JSON.stringify(join(import.meta.dir, "stand-back.ts"));
  const code = `import { standBack } from ${module}; import { getPriority } from "node:os";
    standBack(${JSON.stringify(file)}); console.log(getPriority());`;
  const child = Bun.spawn([process.execPath, "-e", code], { stdout: "pipe", stderr: "inherit" });
  return Number(await new Response(child.stdout).text());
}

test("stands back as a process and as a group", async () => {
  writeFileSync(join(folder, "autogroup"), "/autogroup-7 nice 0");
  expect(await standBackWith(join(folder, "autogroup"))).toBe(10);
  expect(readFileSync(join(folder, "autogroup"), "utf8").startsWith("10")).toBe(true);
});

test("does as a process where the kernel knows no such groups, and makes no file", async () => {
  expect(await standBackWith(join(folder, "missing"))).toBe(10);
  expect(() => readFileSync(join(folder, "missing"))).toThrow("ENOENT");
  rmSync(folder, { recursive: true });
});
