import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { noteIncarnation } from "./note-incarnation.ts";

describe("which life of a desktop this is", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(`${tmpdir()}/qvd-incarnation-`);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("stands where every program of a machine may read it", () => {
    const path = `${folder}/qvd/incarnation`;
    noteIncarnation(path, "3 17");
    expect(readFileSync(path, "utf8")).toBe("3 17\n");
    expect(statSync(path).mode & 0o444).toBe(0o444);
  });

  test("stays what a container's node has written", () => {
    const path = `${folder}/incarnation`;
    writeFileSync(path, "1 2\n");
    noteIncarnation(path, "3 17");
    expect(readFileSync(path, "utf8")).toBe("1 2\n");
  });
});
