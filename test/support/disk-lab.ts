/** Desktops' disks on real file systems for the storage's contract: plain ext4, or btrfs in a file. */

import { chmod, mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { asId, type DiId, type VmId } from "../../src/domain/ids.ts";
import { idRangeOf } from "../../src/domain/node/id-range.ts";
import { layoutOf, vmLayout } from "../../src/domain/node/layout.ts";
import { silentLog } from "../../src/lib/log.ts";
import { run, runOk } from "../../src/lib/run.ts";
import type { StorageLab } from "../../src/storage/contract.ts";
import { createStorage, type StorageDriver } from "../../src/storage/storage.ts";
import { packRoot } from "./tiny-root.ts";

export type DiskLab = StorageLab & { readonly scratch: string };

export type DiskLabOptions = {
  readonly driver: StorageDriver;
  /** A folder besides the state folder, as other boxes see it. */
  readonly isShared?: boolean;
};

const FIRST = 1_000_000;
const IMAGES = [asId<DiId>(3), asId<DiId>(4)] as const;

export async function makeDiskLab({ driver, isShared = false }: DiskLabOptions): Promise<DiskLab> {
  const scratch = await mkdtemp("/var/tmp/qvd-disks-");
  await chmod(scratch, 0o755);
  const disk = `${scratch}/disk`;
  await mkdir(disk);
  if (driver === "btrfs") await mountBtrfs(scratch, disk);
  const layout = layoutOf(`${disk}/state`, `${scratch}/run`, isShared ? `${disk}/shared` : "");
  for (const folder of new Set([layout.stateFolder, layout.sharedFolder])) await mkdir(folder);
  const reopen = () =>
    createStorage({
      layout,
      idRangeFirst: FIRST,
      log: silentLog(),
      reserveBytes: 0,
      lockTimeoutMs: 2_000,
      driver,
      boxName: "lab",
    });
  const storage = reopen();
  await makeRoot(`${scratch}/root`);
  await packRoot(`${scratch}/root`, `${scratch}/root.tar`);
  const signal = new AbortController().signal;
  for (const diId of IMAGES) await storage.ensureBase(diId, `${scratch}/root.tar`, signal);
  let last = 10;
  return {
    scratch,
    layout,
    storage,
    reopen,
    images: IMAGES,
    newDesktop: () => ({ vmId: asId<VmId>(++last), slot: last }),
    runInside({ vmId, slot }, script) {
      const vm = vmLayout(layout, vmId);
      const { first } = idRangeOf(FIRST, slot);
      const env = { ROOT: vm.root, HOME: vm.home, KEPT: vm.kept };
      return run(["/bin/sh", "-c", script], { uid: first, gid: first, cwd: "/", env });
    },
    async dispose() {
      for (const vmId of (await storage.listMounted()).keys()) await storage.unmountDesktop(vmId);
      if (driver === "btrfs") await runOk("unmounting the lab", ["/usr/bin/umount", disk]);
      await runOk("removing the lab", ["/usr/bin/rm", "-rf", "--one-file-system", "--", scratch]);
    },
  };
}

async function mountBtrfs(scratch: string, disk: string): Promise<void> {
  const file = `${scratch}/btrfs.img`;
  await runOk("making a file", ["/usr/bin/truncate", "-s", "1G", file]);
  await runOk("making btrfs", ["/usr/sbin/mkfs.btrfs", "-q", file]);
  await runOk("mounting btrfs", ["/usr/bin/mount", "-o", "loop", file, disk]);
  await chmod(disk, 0o755);
}

async function makeRoot(folder: string): Promise<void> {
  for (const name of ["etc", "usr", "var/log", "srv"]) await mkdir(`${folder}/${name}`, { recursive: true });
  await writeFile(`${folder}/etc/passwd`, "root:x:0:0\n");
  await writeFile(`${folder}/var/log/installed`, "");
}

/** Loop devices that stand on the file, or on those below the folder. */
export async function listLoops(path: string): Promise<readonly string[]> {
  const names = (await readdir("/sys/block")).filter((name) => name.startsWith("loop"));
  const found = names.map(async (name) => {
    // Without the file it is a free one.
    const text = await readFile(`/sys/block/${name}/loop/backing_file`, "utf8").catch(() => "");
    return text.trim() === path || text.startsWith(`${path}/`) ? [name] : [];
  });
  return (await Promise.all(found)).flat();
}
