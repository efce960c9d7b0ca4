import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { readBoxId } from "./read-box-id.ts";

test("a box keeps its identity, and makes one where there is none to read", () => {
  const folder = mkdtempSync(`${tmpdir()}/box-id-`);
  try {
    const first = readBoxId(folder);
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(readBoxId(folder)).toBe(first);
    expect(readFileSync(`${folder}/box-id`, "utf8")).toBe(`${first}\n`);
    // Half a file, from a full disk of another program's doing.
    writeFileSync(`${folder}/box-id`, first.slice(0, 7));
    expect(readBoxId(folder)).not.toBe(first);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
