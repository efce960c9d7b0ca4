import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseShare } from "./share-jail.ts";

let home: string;
beforeAll(() => {
  home = mkdtempSync(`${tmpdir()}/qvd-home-`);
  mkdirSync(`${home}/papers`);
});
afterAll(() => rmSync(home, { recursive: true }));

describe("a folder to share", () => {
  test("is meant absolutely, and ~ is the person's home", () => {
    expect(parseShare("~/papers", { isReadOnly: true, home })).toEqual({
      path: `${home}/papers`,
      isReadOnly: true,
    });
    expect(parseShare(`${home}/papers/../papers/`, { isReadOnly: false, home }).path).toBe(`${home}/papers`);
  });

  const refused: readonly [what: string, text: (home: string) => string, why: RegExp][] = [
    ["that isn't there", (at) => `${at}/nothing`, /there is no such folder/],
    ["that is a file", () => "/etc/passwd", /there is no such folder/],
    ["that is everything", () => "/", /your keys and settings/],
    ["that is the home itself", (at) => at, /your keys and settings/],
    ["that holds the home", () => tmpdir(), /your keys and settings/],
  ];
  test.each(refused)("%s is refused", (_what, text, why) => {
    expect(() => parseShare(text(home), { isReadOnly: false, home })).toThrow(why);
  });
});
