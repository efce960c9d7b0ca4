import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { detectInit, isSystemd } from "./detect-init.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(`${tmpdir()}/qvd-init-`);
  await mkdir(`${root}/usr/sbin`, { recursive: true });
});
afterEach(() => rm(root, { recursive: true }));

test.each([
  ["Debian's", "/lib/systemd/systemd", "systemd"],
  ["Fedora's", "../lib/systemd/systemd", "systemd"],
  ["busybox", "/bin/busybox", "ours"],
  ["a file of the host's", "/etc/shadow", "ours"],
] as const)("an image whose init is a link to %s", async (_whose, target, expected) => {
  await symlink(target, `${root}/usr/sbin/init`);
  expect(await detectInit(root)).toBe(expected);
});

test("an image with an init that is no link, or with none, gets ours", async () => {
  expect(await detectInit(root)).toBe("ours");
  await writeFile(`${root}/usr/sbin/init`, "#!/bin/sh\n");
  expect(await detectInit(root)).toBe("ours");
});

test("an image with folders of the old kind is looked at there", async () => {
  await mkdir(`${root}/sbin`);
  await symlink("/lib/systemd/systemd", `${root}/sbin/init`);
  expect(await detectInit(root)).toBe("systemd");
});

test.each([
  ["systemd\n", true],
  ["sh\n", false],
  ["", false],
])("a process that calls itself %j is systemd: %p", (comm, expected) => {
  expect(isSystemd(comm)).toBe(expected);
});
