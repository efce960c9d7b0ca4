/** The disks of virtual machines, made by the real storage: what lasts a start, what is kept, what is put aside. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { asId, type DiId, type VmId } from "../../src/domain/ids.ts";
import type { Persistence } from "../../src/domain/image/persistence.ts";
import { keptFolder, type Layout, layoutOf, vmLayout } from "../../src/domain/node/layout.ts";
import { machineDisks, machineHome } from "../../src/domain/node/machine-disks.ts";
import { silentLog } from "../../src/lib/log.ts";
import { runOk } from "../../src/lib/run.ts";
import { freeBytes } from "../../src/storage/free-bytes.ts";
import { createStorage, type Storage } from "../../src/storage/storage.ts";

const MB = 2 ** 20;
let scratch: string;
let layout: Layout;
let storage: Storage;
let image: string;
let last = 0;
let vmId: VmId;

beforeAll(async () => {
  scratch = await mkdtemp("/var/tmp/qvd-machine-disks-");
  await chmod(scratch, 0o755);
  layout = layoutOf(`${scratch}/state`, `${scratch}/run`);
  await mkdir(layout.imagesFolder, { recursive: true });
  image = `${layout.imagesFolder}/1-desk.qcow2`;
  await writeFile(`${scratch}/raw`, "the image's first bytes");
  await runOk("sizing", ["/usr/bin/truncate", "-s", "8M", `${scratch}/raw`]);
  await runOk("making", ["/usr/bin/qemu-img", "convert", "-O", "qcow2", `${scratch}/raw`, image]);
  storage = createStorage({ layout, idRangeFirst: 1_000_000, log: silentLog(), reserveBytes: 0 });
});
afterAll(() => rm(scratch, { recursive: true }));
beforeEach(() => {
  last += 1;
  vmId = asId<VmId>(last);
});

const requestOf = (persistence: Persistence, homeMb?: number) => ({
  ...{ vmId, slot: last, persistence, diId: asId<DiId>(1), imagePath: image, homeMb },
});
const prepare = (persistence: Persistence, homeMb?: number) =>
  storage.prepareMachine(requestOf(persistence, homeMb));
const systemOf = (persistence: Persistence) => machineDisks(layout, vmId, requestOf(persistence)).systemDisk;
const infoOf = async (path: string) =>
  JSON.parse(await runOk("looking", ["/usr/bin/qemu-img", "info", "--output=json", path]));

async function scribble(path: string, at: number): Promise<void> {
  const file = await open(path, "r+");
  await file.write("written by a guest", at);
  await file.close();
}

describe("a machine's system", () => {
  test("is as large as its image, and names no file that it stands on", async () => {
    await prepare("home");
    const info = await infoOf(systemOf("home"));
    expect(info).toMatchObject({ format: "qcow2", "virtual-size": 8 * MB });
    expect(info).not.toHaveProperty("backing-filename");
  });

  test("is fresh at each start", async () => {
    await prepare("home");
    const empty = await readFile(systemOf("home"));
    await scribble(systemOf("home"), 100_000);
    await prepare("home");
    expect((await readFile(systemOf("home"))).equals(empty)).toBe(true);
  });

  test("is kept where everything is, whole in itself, and survives the stop", async () => {
    await prepare("everything");
    await runOk("comparing", ["/usr/bin/qemu-img", "compare", "-q", systemOf("everything"), image]);
    const { size } = await stat(systemOf("everything"));
    await scribble(systemOf("everything"), size);
    await storage.unmountDesktop(vmId);
    await prepare("everything");
    expect(await readFile(systemOf("everything"), "latin1")).toContain("written by a guest");
  });

  test("is gone after the stop else, with its folder", async () => {
    await prepare("home");
    await storage.unmountDesktop(vmId);
    expect(await readdir(layout.vmsFolder)).not.toContain(`${vmId}`);
    expect((await storage.listMounted()).has(vmId)).toBe(false);
  });

  test("is out of reach for other accounts of the host", async () => {
    await prepare("home");
    const vm = vmLayout(layout, vmId);
    expect((await stat(vm.folder)).mode & 0o007).toBe(0);
    expect((await stat(vm.fresh)).mode & 0o077).toBe(0);
  });
});

describe("a person's disk", () => {
  test("comes blank, of the OSF's size, taking no room before it is written to", async () => {
    await prepare("home", 64);
    const { size, blocks } = await stat(machineHome(layout, vmId));
    expect(size).toBe(64 * MB);
    expect(blocks).toBe(0);
  });

  test("is kept, grows with its limit and never shrinks", async () => {
    await prepare("home", 64);
    await scribble(machineHome(layout, vmId), 5_000);
    for (const [limitMb, sizeMb] of [
      [128, 128],
      [32, 128],
    ] as const) {
      await prepare("home", limitMb);
      expect((await stat(machineHome(layout, vmId))).size).toBe(sizeMb * MB);
    }
    expect((await readFile(machineHome(layout, vmId))).subarray(5_000, 5_018).toString()).toBe(
      "written by a guest",
    );
  });

  test("is none where nothing is kept", async () => {
    await prepare("nothing");
    expect(await readdir(layout.homesFolder)).not.toContain(`${vmId}.disk`);
  });

  test("of a deleted desktop is put aside once", async () => {
    await prepare("home", 64);
    await storage.unmountDesktop(vmId);
    const aside = await storage.retireHome(vmId, new Date("2026-02-03T04:05:06Z"));
    expect(aside).toEndWith(`/deleted-${vmId}-20260203T040506Z.disk`);
    expect(await storage.retireHome(vmId, new Date())).toBeUndefined();
  });
});

describe("an image that unfolds to more than the disk can spare", () => {
  const RESERVE_MB = 24;
  let small: string;
  let layout: Layout;
  let cramped: Storage;
  let bomb: string;
  beforeAll(async () => {
    small = `${scratch}/small`;
    await mkdir(small);
    await runOk("making a small disk", ["/usr/bin/truncate", "-s", "96M", `${small}.img`]);
    await runOk("making its file system", ["/usr/sbin/mkfs.ext4", "-q", "-m", "0", `${small}.img`]);
    await runOk("mounting it", ["/usr/bin/mount", "-o", "loop", `${small}.img`, small]);
    layout = layoutOf(`${small}/state`, `${scratch}/run`);
    await mkdir(layout.imagesFolder, { recursive: true });
    bomb = `${layout.imagesFolder}/1-bomb.qcow2`;
    await writeFile(`${scratch}/full`, Buffer.alloc(200 * MB, "not zero"));
    const words = ["convert", "-c", "-O", "qcow2", `${scratch}/full`, bomb];
    await runOk("making", ["/usr/bin/qemu-img", ...words]);
    await rm(`${scratch}/full`);
    const options = { layout, idRangeFirst: 1_000_000, log: silentLog() };
    cramped = createStorage({ ...options, reserveBytes: RESERVE_MB * MB, boxName: "one/box" });
  });
  afterAll(async () => {
    await runOk("unmounting the small disk", ["/usr/bin/umount", small]);
  });
  const start = () => cramped.prepareMachine({ ...requestOf("everything"), imagePath: bomb });
  const kept = () => readdir(keptFolder(layout, vmId));

  test("is refused as a full disk, and leaves the reserve and nothing of itself", async () => {
    expect((await stat(bomb)).size).toBeLessThan(2 * MB);
    let leastFreeBytes = Number.MAX_SAFE_INTEGER;
    const watch = setInterval(async () => {
      leastFreeBytes = Math.min(leastFreeBytes, await freeBytes(small));
    }, 2);
    const refused = await start().catch((error) => error);
    clearInterval(watch);
    expect(refused).toMatchObject({ code: "storage-full" });
    expect(refused.message).toContain(layout.keptFolder);
    // The copy's own tables take a little besides what it was allowed.
    expect(leastFreeBytes).toBeGreaterThan((RESERVE_MB - 1) * MB);
    expect(await kept()).toEqual([]);
  });

  test("is refused before it is begun where even what is packed doesn't fit", async () => {
    const options = { layout, idRangeFirst: 1_000_000, log: silentLog() };
    const none = createStorage({ ...options, reserveBytes: (await freeBytes(small)) - 1_000 });
    const refused = none.prepareMachine({ ...requestOf("everything"), imagePath: bomb });
    await expect(refused).rejects.toMatchObject({ code: "storage-full" });
  });

  test("has what a kill left swept at the next start, and at the clean-up what is this box's own", async () => {
    await mkdir(keptFolder(layout, vmId), { recursive: true });
    const names = ["machine-1.qcow2.new.one%2Fbox", "machine-2.qcow2.new.other", "machine-3.qcow2"];
    for (const name of names) await writeFile(`${keptFolder(layout, vmId)}/${name}`, "half");
    await cramped.sweepMachine(vmId);
    expect((await kept()).toSorted()).toEqual(names.slice(1));
    await start().catch(() => undefined);
    expect(await kept()).toEqual(names.slice(2));
  });
});

test("an image that stands on another file makes no machine", async () => {
  const overlay = `${scratch}/overlay.qcow2`;
  const words = ["create", "-q", "-f", "qcow2", "-b", image, "-F", "qcow2", overlay];
  await runOk("making", ["/usr/bin/qemu-img", ...words]);
  const refused = storage.prepareMachine({ ...requestOf("home"), imagePath: overlay });
  await expect(refused).rejects.toMatchObject({ code: "image-broken" });
});
