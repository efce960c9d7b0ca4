import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../lib/log.ts";
import { setTimeZone } from "./set-time-zone.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "qvd-zone-"));
  mkdirSync(`${root}/usr/share/zoneinfo/Europe`, { recursive: true });
  mkdirSync(`${root}/etc`);
  writeFileSync(`${root}/usr/share/zoneinfo/Europe/Madrid`, "TZif2");
  writeFileSync(`${root}/etc/localtime`, "before");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("a known zone becomes the desktop's, again and again", () => {
  for (const _ of [1, 2]) setTimeZone("Europe/Madrid", { log: silentLog(), root });
  expect(readlinkSync(`${root}/etc/localtime`)).toBe("/usr/share/zoneinfo/Europe/Madrid");
  expect(readFileSync(`${root}/etc/timezone`, "utf8")).toBe("Europe/Madrid\n");
});

for (const zone of ["Europe/Atlantis", "Europe", "../../../etc/localtime"])
  test(`${zone} leaves the one it has`, () => {
    setTimeZone(zone, { log: silentLog(), root });
    expect(readFileSync(`${root}/etc/localtime`, "utf8")).toBe("before");
  });

test("a folder that can't be written costs nothing but the zone", () => {
  rmSync(`${root}/etc`, { recursive: true });
  setTimeZone("Europe/Madrid", { log: silentLog(), root });
});
