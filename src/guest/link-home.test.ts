import { afterEach, beforeEach, expect, test } from "bun:test";
import { lstatSync, mkdirSync, mkdtempSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../lib/log.ts";
import { isHomePlace, linkHome } from "./link-home.ts";

for (const path of ["/home/ann", "/home/EXAMPLE/ann", "/nfs/homes/a/ann", "/srv/ann.b-c_d"])
  test(`${path} is a place for a home`, () => expect(isHomePlace(path)).toBe(true));
for (const path of [
  "",
  "/",
  "/ann",
  "home/ann",
  "/home/../etc/ann",
  "/home/./ann",
  "/home//ann",
  "/home/ann/",
  "/etc/ann",
  "/usr/home/ann",
  "/lib64/ann",
  "/home/a b",
  "/home/ann\n",
  `/home/${"x".repeat(300)}`,
])
  test(`${JSON.stringify(path.slice(0, 30))} is none`, () => expect(isHomePlace(path)).toBe(false));

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "qvd-home-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));
const link = (wanted: string) => linkHome(wanted, "/home/ann", { log: silentLog(), root });

test("leads to the home that is kept, with folders on the way, again and again", () => {
  for (const _ of [1, 2]) link("/home/EXAMPLE/ann");
  expect(readlinkSync(`${root}/home/EXAMPLE/ann`)).toBe("/home/ann");
});

test("leaves what is there already", () => {
  mkdirSync(`${root}/srv/ann`, { recursive: true });
  link("/srv/ann");
  expect(lstatSync(`${root}/srv/ann`).isDirectory()).toBe(true);
});

test("makes nothing at the home itself, nor where none belongs", () => {
  link("/home/ann");
  link("/etc/ann");
  for (const path of ["/home", "/etc"])
    expect(lstatSync(root + path, { throwIfNoEntry: false })).toBeUndefined();
});
