import { afterAll, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { boundLog } from "./bound-log.ts";

const folder = mkdtempSync(`${tmpdir()}/qvd-logs-`);
afterAll(() => rmSync(folder, { recursive: true }));

test("leaves a log within its bound, and one that isn't there, alone", () => {
  writeFileSync(`${folder}/small`, "1234");
  expect(boundLog(`${folder}/small`, 4)).toBe(false);
  expect(boundLog(`${folder}/missing`, 4)).toBe(false);
  expect(readFileSync(`${folder}/small`, "utf8")).toBe("1234");
});

test("puts one over it aside, in the place of the one before", () => {
  const path = `${folder}/big`;
  for (const text of ["first", "second"]) {
    appendFileSync(path, text);
    expect(boundLog(path, 4)).toBe(true);
    expect(readFileSync(path, "utf8")).toBe("");
    expect(readFileSync(`${path}.1`, "utf8")).toBe(text);
  }
});

test("begins anew also where nothing can be put aside", () => {
  const path = `${folder}/stuck`;
  writeFileSync(path, "12345");
  mkdirSync(`${path}.1`);
  expect(() => boundLog(path, 4)).toThrow();
  expect(readFileSync(path, "utf8")).toBe("");
});
