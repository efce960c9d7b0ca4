import { afterAll, afterEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { formatPasswordFile, screenPassword } from "../../wire/display/viewer-proof.ts";
import { writeScreenPassword } from "./screen-password.ts";

const folder = mkdtempSync("/tmp/qvd-screen-password-");
const path = `${folder}/password`;
const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => rmSync(`${path}.new`, { recursive: true, force: true }));

test("a key's password is in the file, in place of the one before", () => {
  writeScreenPassword(path, { ...owner, key: "before" });
  writeScreenPassword(path, { ...owner, key: "after" });
  expect(readFileSync(path, "hex")).toBe(formatPasswordFile(screenPassword("after")).toString("hex"));
});

test("a password that can't be written leaves none", () => {
  writeScreenPassword(path, { ...owner, key: "before" });
  mkdirSync(`${path}.new`);
  expect(() => writeScreenPassword(path, { ...owner, key: "after" })).toThrow();
  expect(existsSync(path)).toBe(false);
});
