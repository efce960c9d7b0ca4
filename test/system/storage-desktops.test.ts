/** How a desktop's disks are put together and taken apart. */

import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { asId, type DiId, type VmId } from "../../src/domain/ids.ts";
import { idRangeOf } from "../../src/domain/node/id-range.ts";
import { homeFolder, layoutOf, vmLayout } from "../../src/domain/node/layout.ts";
import { silentLog } from "../../src/lib/log.ts";
import { run } from "../../src/lib/run.ts";
import { createStorage, type Storage } from "../../src/storage/storage.ts";
import { makeTinyRoot, packRoot } from "../support/tiny-root.ts";

const FIRST = 1_000_000;
const DI = asId<DiId>(3);
const VM = asId<VmId>(12);
const SLOT = 4;
const ROOT = idRangeOf(FIRST, SLOT).first;

let scratch: string;
let storage: Storage;
let layout: ReturnType<typeof layoutOf>;
beforeAll(async () => {
  scratch = await mkdtemp("/var/tmp/qvd-disks-");
  await chmod(scratch, 0o755);
  layout = layoutOf(`${scratch}/state`, `${scratch}/run`);
  await mkdir(layout.stateFolder);
  storage = createStorage({ layout, idRangeFirst: FIRST, log: silentLog(), reserveBytes: 0 });
  await makeTinyRoot(`${scratch}/tiny`);
  await packRoot(`${scratch}/tiny`, `${scratch}/tiny.tar`);
  await storage.ensureBase(DI, `${scratch}/tiny.tar`, new AbortController().signal);
}, 180_000);
beforeEach(() => storage.unmountDesktop(VM));
afterAll(async () => {
  await storage.unmountDesktop(VM);
  await run(["/usr/bin/rm", "-rf", "--one-file-system", "--", scratch]);
});

const mount = () => storage.mountDesktop({ vmId: VM, diId: DI, slot: SLOT });

test("the desktop's root and home belong to its range, and what lies on disk to plain ids", async () => {
  const mounted = await mount();
  for (const path of [mounted.rootFolder, `${mounted.rootFolder}/etc/passwd`, mounted.homeFolder])
    expect((await stat(path)).uid).toBe(ROOT);
  expect((await stat(`${layout.basesFolder}/${DI}/etc/passwd`)).uid).toBe(0);
  expect((await stat(homeFolder(layout, VM))).uid).toBe(0);
  expect((await stat(`${mounted.rootFolder}/usr/bin/su`)).mode & 0o7777).toBe(0o4755);
});

test("what the desktop writes to its root is gone at the next start, its home stays", async () => {
  const first = await mount();
  const asRoot = { uid: ROOT, gid: ROOT, cwd: "/" };
  const write = `echo mine >${first.rootFolder}/etc/passwd; echo kept >${first.homeFolder}/letter; rm ${first.rootFolder}/usr/bin/ls`;
  expect((await run(["/bin/sh", "-c", write], asRoot)).exitCode).toBe(0);
  const second = await mount();
  expect(await readFile(`${second.rootFolder}/etc/passwd`, "utf8")).toStartWith("root:");
  expect((await stat(`${second.rootFolder}/usr/bin/ls`)).isFile()).toBe(true);
  expect(await readFile(`${second.homeFolder}/letter`, "utf8")).toBe("kept\n");
  expect((await stat(`${homeFolder(layout, VM)}/letter`)).uid).toBe(0);
});

test("neither the base nor another's disks can be touched with the desktop's ids", async () => {
  await mount();
  const other = await storage.mountDesktop({ vmId: asId<VmId>(13), diId: DI, slot: SLOT + 1 });
  const { base } = vmLayout(layout, VM);
  const attempts = [
    `echo x >${base}/etc/passwd`,
    `ls ${layout.basesFolder}`,
    `ls ${layout.homesFolder}`,
    `ls ${other.homeFolder}`,
    `ls ${other.rootFolder}`,
    `touch ${layout.vmsFolder}/x`,
    `touch ${vmLayout(layout, VM).folder}/x`,
  ];
  for (const attempt of attempts)
    expect((await run(["/bin/sh", "-c", attempt], { uid: ROOT, gid: ROOT, cwd: "/" })).exitCode).not.toBe(0);
  // A host's account can't reach the image's setuid programs at all.
  const nobody = { uid: 65_534, gid: 65_534, cwd: "/" };
  expect((await run(["/bin/sh", "-c", `ls ${base}`], nobody)).exitCode).not.toBe(0);
  await storage.unmountDesktop(asId<VmId>(13));
});

test("mounting again starts from nothing, and unmounting may be repeated", async () => {
  await mount();
  await mount();
  const disks = (await storage.listMounted()).get(VM);
  expect(disks?.mounts.length).toBe(3);
  expect(disks?.hasFolder).toBe(true);
  await storage.unmountDesktop(VM);
  await storage.unmountDesktop(VM);
  expect((await storage.listMounted()).has(VM)).toBe(false);
  expect(await readdir(layout.vmsFolder)).toEqual([]);
});

test("unmounting takes apart what a killed node left half done, and keeps others' things", async () => {
  const vm = vmLayout(layout, VM);
  await mkdir(`${vm.upper}/some/thing`, { recursive: true });
  await mkdir(vm.home, { recursive: true });
  await mkdir(vm.channel, { recursive: true });
  await run(["/usr/bin/mount", "-t", "tmpfs", "tmpfs", vm.home]);
  await run(["/usr/bin/mount", "-t", "tmpfs", "tmpfs", vm.home]);
  expect((await storage.listMounted()).get(VM)?.mounts).toEqual([vm.home, vm.home]);
  await storage.unmountDesktop(VM);
  expect(await readdir(vm.folder)).toEqual(["channel"]);
  await run(["/usr/bin/rmdir", vm.channel]);
});

test("a mount point that is in use is waited for", async () => {
  const { homeFolder: home } = await mount();
  const holder = Bun.spawn(["/usr/bin/sleep", "1"], { cwd: home });
  await storage.unmountDesktop(VM);
  expect(await holder.exited).toBe(0);
  expect((await storage.listMounted()).has(VM)).toBe(false);
});

test("an image that is not unpacked can't be mounted, and nothing stays", async () => {
  const mounting = storage.mountDesktop({ vmId: VM, diId: asId<DiId>(99), slot: SLOT });
  await expect(mounting).rejects.toMatchObject({ code: "not-found" });
  expect((await storage.listMounted()).has(VM)).toBe(false);
});

test("a state folder that nobody may pass is told with its cure", async () => {
  await chmod(layout.stateFolder, 0o700);
  await expect(mount()).rejects.toThrow(`chmod o+x ${layout.stateFolder}`);
  await chmod(layout.stateFolder, 0o755);
  expect((await storage.listMounted()).has(VM)).toBe(false);
});

test("the home of a deleted desktop is put aside, unless it is in use", async () => {
  await mount();
  // Not through the mount: there the host's root has no number.
  await writeFile(`${homeFolder(layout, VM)}/keep`, "me");
  const now = new Date("2026-03-04T05:06:07Z");
  await expect(storage.retireHome(VM, now)).rejects.toMatchObject({ code: "conflict" });
  await storage.unmountDesktop(VM);
  const aside = `${layout.homesFolder}/deleted-${VM}-20260304T050607Z`;
  expect(await storage.retireHome(VM, now)).toBe(aside);
  expect(await readFile(`${aside}/keep`, "utf8")).toBe("me");
  expect(await storage.retireHome(VM, now)).toBeUndefined();
});

test("an unpacked image is removed with what was left of it, but not while a desktop stands on it", async () => {
  const diId = asId<DiId>(4);
  const signal = new AbortController().signal;
  await storage.ensureBase(diId, `${scratch}/tiny.tar`, signal);
  await storage.mountDesktop({ vmId: VM, diId, slot: SLOT });
  await expect(storage.removeBase(diId, signal)).rejects.toMatchObject({ code: "conflict" });
  expect((await stat(`${layout.basesFolder}/${diId}/etc/passwd`)).isFile()).toBe(true);
  await storage.unmountDesktop(VM);
  // As a node that was killed in the middle leaves it.
  await mkdir(`${layout.basesFolder}/.${diId}.tmp.77/etc`, { recursive: true });
  await mkdir(`${layout.basesFolder}/.5.tmp.77`);
  const ids = async () => (await storage.listBases()).map((base) => base.diId).sort();
  expect(await ids()).toEqual([DI, diId, asId<DiId>(5)]);
  for (const gone of [diId, diId, asId<DiId>(5)]) await storage.removeBase(gone, signal);
  expect(await ids()).toEqual([DI]);
  expect((await readdir(layout.basesFolder)).sort()).toEqual([`.${DI}.lock`, `${DI}`]);
});
