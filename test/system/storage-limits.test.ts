/** Homes in file systems of their own: who holds them, what a crash leaves, and what a full disk does. */

import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { asId, type VmId } from "../../src/domain/ids.ts";
import { baseFolder, homeFolder, homeImage, layoutOf, vmLayout } from "../../src/domain/node/layout.ts";
import { silentLog } from "../../src/lib/log.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { readImageMb } from "../../src/storage/image-file.ts";
import type { MountRequest } from "../../src/storage/mount-desktop.ts";
import { unpackingConfinement } from "../../src/storage/run-tar.ts";
import { createStorage, type Storage } from "../../src/storage/storage.ts";
import { withUserNamespace } from "../../src/storage/user-namespace.ts";
import { type DiskLab, listLoops, makeDiskLab } from "../support/disk-lab.ts";

let lab: DiskLab;
let desktop: MountRequest;
beforeAll(async () => {
  lab = await makeDiskLab({ driver: "overlay", isShared: true });
}, 180_000);
beforeEach(() => {
  desktop = { ...lab.newDesktop(), diId: lab.images[0], homeMb: 40 };
});
afterAll(() => lab.dispose());

const loops = () => listLoops(lab.scratch);

/** As another box of the site: folders of its own, and the shared one. */
async function otherBox(): Promise<Storage> {
  const folder = await mkdtemp(`${lab.scratch}/other-`);
  await runOk("letting others pass", ["/usr/bin/chmod", "0755", folder]);
  const layout = layoutOf(`${folder}/state`, `${folder}/run`, lab.layout.sharedFolder);
  await mkdir(layout.basesFolder, { recursive: true });
  await symlink(baseFolder(lab.layout, desktop.diId), baseFolder(layout, desktop.diId));
  const settings = { idRangeFirst: 1_000_000, log: silentLog(), reserveBytes: 0, lockTimeoutMs: 1_000 };
  return createStorage({ layout, ...settings, boxName: "other" });
}

/** Has a process of its own mount the desktop, and kills it so long after its start, or once it has done so. */
async function mountAndDie(request: MountRequest, afterMs?: number): Promise<void> {
  const options = { layout: lab.layout, idRangeFirst: 1_000_000, reserveBytes: 0, boxName: "lab" };
  const code = `
    import { createStorage } from "${import.meta.dir}/../../src/storage/storage.ts";
    import { silentLog } from "${import.meta.dir}/../../src/lib/log.ts";
    const storage = createStorage({ ...${JSON.stringify(options)}, log: silentLog() });
    process.stdout.write("begun\\n");
    await storage.mountDesktop(${JSON.stringify(request)});
    process.kill(process.pid, "SIGKILL");`;
  const child = Bun.spawn([process.execPath, "-e", code], { stdout: "pipe", stderr: "inherit" });
  if (afterMs !== undefined) {
    await child.stdout.getReader().read();
    await Bun.sleep(afterMs);
    child.kill("SIGKILL");
  }
  await child.exited;
}

test("a home is one box's at a time, and the other is told whose", async () => {
  const other = await otherBox();
  await lab.storage.mountDesktop(desktop);
  await expect(other.mountDesktop(desktop)).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringContaining("the box lab"),
  });
  await expect(other.retireHome(desktop.vmId, new Date())).rejects.toMatchObject({ code: "conflict" });
  expect((await lab.runInside(desktop, 'echo mine >"$HOME/letter"')).exitCode).toBe(0);
  await lab.storage.unmountDesktop(desktop.vmId);
  await other.mountDesktop(desktop);
  await expect(lab.storage.mountDesktop(desktop)).rejects.toThrow("the box other");
  await other.unmountDesktop(desktop.vmId);
  expect(await loops()).toEqual([]);
}, 180_000);

test("the lock outlives the node that took it, and ends with the unmounting", async () => {
  const other = await otherBox();
  await mountAndDie(desktop);
  await expect(other.mountDesktop(desktop)).rejects.toMatchObject({ code: "conflict" });
  expect((await lab.runInside(desktop, 'echo mine >"$HOME/letter"')).exitCode).toBe(0);
  expect((await lab.storage.listMounted()).get(desktop.vmId)?.mounts.length).toBe(4);
  await lab.storage.unmountDesktop(desktop.vmId);
  expect(await loops()).toEqual([]);
  await other.mountDesktop(desktop);
  await other.unmountDesktop(desktop.vmId);
});

test("a node that is killed while a home moves into its image loses nothing and leaves nothing", async () => {
  const home = homeFolder(lab.layout, desktop.vmId);
  await mkdir(home, { recursive: true });
  for (let count = 0; count < 200; count++)
    await writeFile(`${home}/file-${count}`, `${count}`.repeat(1_000));
  for (const afterMs of [1, 10, 20, 40, 60, 80, 110, 150, 200]) {
    await mountAndDie(desktop, afterMs);
    await lab.storage.unmountDesktop(desktop.vmId);
    // A check of the file system that the killed one had begun ends by itself.
    expect(await waitFor(async () => (await loops()).length === 0, { timeoutMs: 20_000 })).toBe(true);
  }
  await lab.storage.mountDesktop(desktop);
  const found = await lab.runInside(desktop, 'cat "$HOME"/file-* | wc -c');
  expect(found.stdout.trim()).toBe(`${(10 + 90 * 2 + 100 * 3) * 1_000}`);
  await lab.storage.unmountDesktop(desktop.vmId);
  const names = await readdir(lab.layout.homesFolder);
  const own = names.filter((name) => new RegExp(`^(moved-)?${desktop.vmId}(\\D|$)`).test(name)).sort();
  const image = `${desktop.vmId}.img`;
  expect(own).toEqual([image, `${image}.holder`, `${image}.lock`, `moved-${desktop.vmId}`]);
}, 180_000);

test("a mount namespace that was made meanwhile keeps neither the home nor its lock", async () => {
  desktop = { ...desktop, persistence: "everything", systemMb: 40 };
  await lab.storage.mountDesktop(desktop);
  const copy = Bun.spawn(["/usr/bin/unshare", "--mount", "/bin/sh", "-c", "echo made; exec sleep 60"], {
    stdout: "pipe",
  });
  await copy.stdout.getReader().read();
  const other = await otherBox();
  await lab.storage.unmountDesktop(desktop.vmId);
  expect(await loops()).toEqual([]);
  await other.mountDesktop(desktop);
  await other.unmountDesktop(desktop.vmId);
  copy.kill();
  await copy.exited;
});

test("a mount namespace with processes and a /proc of its own keeps nothing either", async () => {
  desktop = { ...desktop, persistence: "everything", systemMb: 40 };
  await lab.storage.mountDesktop(desktop);
  const own = ["--mount", "--pid", "--fork", "--mount-proc", "--kill-child"];
  const copy = Bun.spawn(["/usr/bin/unshare", ...own, "/bin/sh", "-c", "echo made; exec sleep 60"], {
    stdout: "pipe",
  });
  await copy.stdout.getReader().read();
  await lab.storage.unmountDesktop(desktop.vmId);
  expect(await loops()).toEqual([]);
  // It minds no gentler one while its child lives.
  copy.kill("SIGKILL");
  await copy.exited;
});

test("a mount namespace is let go of by the box's own umount, never by one that lies inside", async () => {
  await lab.storage.mountDesktop(desktop);
  const folder = await mkdtemp("/var/tmp/qvd-umount-");
  const program = `${folder}/umount`;
  await writeFile(program, `#!/bin/sh\nid -u > ${folder}/ran\n`, { mode: 0o755 });
  const inside = `mount --bind ${program} /usr/bin/umount && echo made; exec sleep 60`;
  const copy = Bun.spawn(["/usr/bin/unshare", "--mount", "/bin/sh", "-c", inside], { stdout: "pipe" });
  await copy.stdout.getReader().read();
  await lab.storage.unmountDesktop(desktop.vmId);
  expect(await readdir(folder)).toEqual(["umount"]);
  copy.kill();
  await copy.exited;
  await rm(folder, { recursive: true });
});

test("an image that is being unpacked holds no home", async () => {
  await lab.storage.mountDesktop(desktop);
  await withUserNamespace({ first: 7_000_000, count: 65_536 }, async ({ pid }) => {
    const confinement = unpackingConfinement({ pid, vmsFolder: lab.layout.vmsFolder });
    const script = 'echo "$(id -u) $(touch /var/x /usr/x 2>/dev/null || echo writes nowhere)"; exec sleep 60';
    const unpacking = Bun.spawn([...confinement, "/bin/sh", "-c", script], { stdout: "pipe" });
    const { value } = await unpacking.stdout.getReader().read();
    expect(Buffer.from(value ?? []).toString()).toBe("0 writes nowhere\n");
    expect((await lab.storage.listMounted()).get(desktop.vmId)?.mounts.length).toBe(4);
    await lab.storage.unmountDesktop(desktop.vmId);
    expect(await loops()).toEqual([]);
    unpacking.kill("SIGKILL");
    await unpacking.exited;
  });
});

test("a person's sandbox that has a copy of the home is waited for", async () => {
  await lab.storage.mountDesktop(desktop);
  const options = ["--user", "--map-root-user", "--mount"];
  const copy = Bun.spawn(["/usr/bin/unshare", ...options, "/bin/sh", "-c", "echo made; exec sleep 2"], {
    stdout: "pipe",
  });
  await copy.stdout.getReader().read();
  await lab.storage.unmountDesktop(desktop.vmId);
  expect(await copy.exited).toBe(0);
  expect(await loops()).toEqual([]);
});

test("growing that was interrupted is finished at the next start", async () => {
  await lab.storage.mountDesktop(desktop);
  await lab.storage.unmountDesktop(desktop.vmId);
  const image = homeImage(lab.layout, desktop.vmId);
  await runOk("growing the file only", ["/usr/bin/truncate", "-s", "80M", image]);
  expect(readImageMb(image)).toBe(40);
  await lab.storage.mountDesktop({ ...desktop, homeMb: 80 });
  expect(readImageMb(image)).toBe(80);
  await lab.storage.unmountDesktop(desktop.vmId);
});

test("a damaged home stops its own start with what to do, and nobody else's", async () => {
  await lab.storage.mountDesktop(desktop);
  await lab.storage.unmountDesktop(desktop.vmId);
  const image = homeImage(lab.layout, desktop.vmId);
  const file = await open(image, "r+");
  // The root folder's inode and its like, with no copy anywhere.
  await file.write(Buffer.alloc(2 ** 20, 0x5a), 0, 2 ** 20, 4_096);
  await file.close();
  await expect(lab.storage.mountDesktop(desktop)).rejects.toThrow(/damaged.*e2fsck -f/);
  expect((await stat(image)).size).toBe(40 * 2 ** 20);
  expect(await loops()).toEqual([]);
  const healthy = { ...desktop, ...lab.newDesktop() };
  await lab.storage.mountDesktop(healthy);
  await lab.storage.unmountDesktop(healthy.vmId);
});

test("a kept folder that is a link in the image is refused, and nothing of the box is read through it", async () => {
  const base = baseFolder(lab.layout, desktop.diId);
  await symlink("/etc", `${base}/srv/link`);
  const request = { ...desktop, persistence: "folders", keptFolders: ["/srv/link"] } as const;
  await expect(lab.storage.mountDesktop(request)).rejects.toMatchObject({ code: "bad-input" });
  await rm(`${base}/srv/link`);
  await lab.storage.mountDesktop(request);
  expect((await lab.runInside(request, 'ls "$KEPT/srv%2Flink"')).stdout).toBe("");
  await lab.storage.unmountDesktop(desktop.vmId);
});

test("ids of another range are told of, not mixed", async () => {
  const request = { ...desktop, persistence: "everything", systemMb: 40 } as const;
  await lab.storage.mountDesktop(request);
  await lab.storage.unmountDesktop(desktop.vmId);
  const moved = { ...request, slot: desktop.slot + 1 };
  await expect(lab.storage.mountDesktop(moved)).rejects.toThrow("QVD_ID_FIRST");
});

/** A box whose disk can be filled, here by `filler`; starts leave `reserveMb` of it free. */
async function smallBox(disk: string, reserveMb: number) {
  await mkdir(disk);
  await runOk("making a small disk", ["/usr/bin/truncate", "-s", "300M", `${disk}.img`]);
  await runOk("making its file system", ["/usr/sbin/mkfs.ext4", "-q", "-m", "0", `${disk}.img`]);
  await runOk("mounting it", ["/usr/bin/mount", "-o", "loop", `${disk}.img`, disk]);
  const layout = layoutOf(`${disk}/state`, `${lab.scratch}/run`);
  await mkdir(layout.basesFolder, { recursive: true });
  await symlink(baseFolder(lab.layout, desktop.diId), baseFolder(layout, desktop.diId));
  const settings = { idRangeFirst: 1_000_000, log: silentLog() };
  return { layout, storage: createStorage({ layout, ...settings, reserveBytes: reserveMb * 2 ** 20 }) };
}

test("a home that is raised has all of its room, or stays as it was and tells of the full disk", async () => {
  const disk = `${lab.scratch}/raised`;
  const { layout, storage } = await smallBox(disk, 0);
  const image = homeImage(layout, desktop.vmId);
  const start = async (homeMb: number) => {
    await storage.mountDesktop({ ...desktop, homeMb });
    await storage.unmountDesktop(desktop.vmId);
  };
  await start(40);
  await runOk("filling the disk", ["/usr/bin/fallocate", "-l", "200M", `${disk}/filler`]);
  await expect(start(120)).rejects.toMatchObject({ code: "storage-full" });
  expect(await stat(image)).toMatchObject({ size: 40 * 2 ** 20 });
  await start(40);
  await rm(`${disk}/filler`);
  await start(120);
  expect(readImageMb(image)).toBe(120);
  expect((await stat(image)).blocks * 512).toBeGreaterThanOrEqual(120 * 2 ** 20);
  await runOk("unmounting the small disk", ["/usr/bin/umount", disk]);
}, 180_000);

test("a full disk stops starts with its reason, and a running desktop goes on writing to its home", async () => {
  const disk = `${lab.scratch}/small`;
  const { layout, storage } = await smallBox(disk, 64);
  const limited = { ...desktop, homeMb: 100, systemMb: 40 };
  await storage.mountDesktop(limited);
  await run(["/usr/bin/dd", "if=/dev/zero", `of=${disk}/filler`, "bs=1M"]);
  const another = asId<VmId>(desktop.vmId + 500);
  await expect(storage.mountDesktop({ ...limited, vmId: another })).rejects.toMatchObject({
    code: "storage-full",
  });
  expect((await storage.listMounted()).has(another)).toBe(false);
  const { home, root } = vmLayout(layout, desktop.vmId);
  for (const folder of [home, `${root}/var`]) {
    const uid = (await stat(folder)).uid;
    const script = `/usr/bin/dd if=/dev/urandom of=${folder}/big bs=1M count=20 conv=fsync`;
    const { exitCode, stderr } = await run(["/bin/sh", "-c", script], { uid, gid: uid, cwd: "/" });
    expect({ folder, exitCode, stderr }).toMatchObject({ exitCode: 0 });
  }
  await rm(`${disk}/filler`);
  await storage.mountDesktop({ ...limited, vmId: another, homeMb: 30 });
  for (const vmId of [another, desktop.vmId]) await storage.unmountDesktop(vmId);
  await runOk("unmounting the small disk", ["/usr/bin/umount", disk]);
}, 180_000);

test("the lock's file says nothing but who", async () => {
  await lab.storage.mountDesktop(desktop);
  await lab.storage.unmountDesktop(desktop.vmId);
  expect(await readFile(`${homeImage(lab.layout, desktop.vmId)}.holder`, "utf8")).toBe("lab\n");
});

test("a home that can't be made as small as its limit tells its size, until it can", async () => {
  const wide = { ...desktop, homeMb: 80 };
  expect((await lab.storage.mountDesktop(wide)).homeOverMb).toBeUndefined();
  await lab.runInside(desktop, 'head -c 40M /dev/zero >"$HOME/big"');
  await lab.storage.unmountDesktop(desktop.vmId);
  expect((await lab.storage.mountDesktop(desktop)).homeOverMb).toBe(80);
  await lab.runInside(desktop, 'rm "$HOME/big"');
  await lab.storage.unmountDesktop(desktop.vmId);
  expect((await lab.storage.mountDesktop(desktop)).homeOverMb).toBeUndefined();
  await lab.storage.unmountDesktop(desktop.vmId);
});
