/**
 * Unmounts a folder with all below it, and waits until the loop devices that stood there have let go of their
 * images: then their locks are free for another box. A file system that somebody froze at the last moment is
 * mounted once more, since only so can it be thawed.
 */

import { existsSync, readFileSync } from "node:fs";
import type { Layout } from "../domain/node/layout.ts";
import { AppError, isAppError } from "../lib/errors.ts";
import { run } from "../lib/run.ts";
import { waitFor } from "../lib/wait.ts";
import { isAttached, readSequence, remountOrphan } from "./attached-loop.ts";
import type { Libc } from "./libc.ts";
import { type Attachment, forgetLoop, listNotedLoops, noteLoop } from "./loop-notes.ts";
import { listMountsBelow, type Mount, parseMountinfo, parseMountsBelow } from "./mountinfo.ts";
import type { DiskMount } from "./pin-mount.ts";
import { type MountCopy, releaseCopies } from "./release-copies.ts";
import { type LetGo, settleDisk } from "./settle-disk.ts";

export type UnmountContext = {
  readonly layout: Layout;
  readonly libc: Libc;
  readonly letGo: () => LetGo;
};

/** A container's end is seen some milliseconds before the kernel has let go of its mounts. */
const BUSY_TIMEOUT_MS = 5_000;
/** A program that a killed node had started may mount once more after we looked. */
export const MOST_LATE_MOUNTS = 3;
/** Each may need a look at its loop devices in between. */
const MOST_PASSES = 2 * MOST_LATE_MOUNTS;
const DETACH_SOON_MS = 500;
/** A container that is just being made, or a short sandbox of a person, has copies for a moment. */
const DETACH_TIMEOUT_MS = 10_000;

/**
 * `driver-failed` names what can't be unmounted, or who else keeps it open; `unavailable` while the right to run
 * is in doubt. What an earlier call couldn't finish, this one does.
 */
export async function unmountAll(context: UnmountContext, folder: string): Promise<void> {
  const attached = new Map<string, Attachment>();
  const add = (loops: readonly Attachment[]) => {
    for (const one of loops) attached.set(`${one.name} ${one.sequence}`, one);
  };
  // Before a start it usually isn't there, and then nothing is mounted in it; a list of all mounts is dear.
  let isThere = existsSync(folder);
  add(await listNotedLoops(context.layout, folder));
  for (let passes = 0; passes < MOST_PASSES; passes++) {
    const { inside, outside } = isThere ? listMounts(folder) : NO_MOUNTS;
    isThere = true;
    if (inside.length > 0) add(await unmountEach(context, inside, outside));
    else if (await waitForDetached(context, folder, [...attached.values()])) return;
  }
  const left = listMountsBelow(folder)
    .map(({ mountPoint }) => mountPoint)
    .join(", ");
  throw new AppError("driver-failed", `Unmounting ${folder}: ${left || "it"} is mounted again and again`);
}

type Mounts = { readonly inside: readonly Mount[]; readonly outside: readonly Mount[] };

const NO_MOUNTS: Mounts = { inside: [], outside: [] };

function listMounts(folder: string): Mounts {
  const text = readFileSync("/proc/self/mountinfo", "utf8");
  if (parseMountsBelow(folder, text).length === 0) return NO_MOUNTS;
  const mounts = parseMountinfo(text);
  const isInside = ({ mountPoint }: Mount) => mountPoint === folder || mountPoint.startsWith(`${folder}/`);
  return { inside: mounts.filter(isInside), outside: mounts.filter((mount) => !isInside(mount)) };
}

/** Returns the loop devices that were under them. */
async function unmountEach(
  context: UnmountContext,
  inside: readonly Mount[],
  outside: readonly Mount[],
): Promise<readonly Attachment[]> {
  const loops = listLoops(inside, outside);
  const attached = await Promise.all(
    [...loops].map(async ([name, { mountPoint }]) => {
      const attachment = { name, mountPoint, sequence: await readSequence(name) };
      await noteLoop(context.layout, attachment);
      return attachment;
    }),
  );
  const disks = new Set([...loops.values()].filter(({ fileSystem }) => fileSystem === "ext4"));
  for (const mount of inside.toReversed()) {
    const settle = disks.has(mount) ? () => settleIfThere(context, mount) : async () => {};
    await unmount(mount.mountPoint, settle);
  }
  return attached;
}

/**
 * The first mount of each loop device, which is unmounted last. What is mounted elsewhere too is not ours to
 * detach: the box's own disk may be such a device.
 */
function listLoops(inside: readonly Mount[], outside: readonly Mount[]): ReadonlyMap<string, Mount> {
  const others = new Set(outside.map(({ source }) => source));
  const loops = new Map<string, Mount>();
  for (const mount of inside) {
    const name = /^\/dev\/(loop\d+)$/.exec(mount.source)?.[1];
    if (name !== undefined && !others.has(mount.source) && !loops.has(name)) loops.set(name, mount);
  }
  return loops;
}

async function settleIfThere(context: UnmountContext, disk: DiskMount): Promise<void> {
  try {
    await settleDisk(context, disk);
  } catch (error) {
    if (!isAppError(error) || error.code !== "conflict") throw error;
  }
}

async function unmount(mountPoint: string, settle: () => Promise<void>): Promise<void> {
  let said = "";
  const isDone = await waitFor(
    async () => {
      // Each time: it is busy as long as somebody is about to freeze it, and frozen when it isn't any more.
      await settle();
      const result = await run(["/usr/bin/umount", "--no-canonicalize", "--", mountPoint], {
        timeoutMs: 10_000,
      });
      said = result.stderr.trim();
      return result.exitCode === 0 || /not mounted|no mount point/.test(said);
    },
    { timeoutMs: BUSY_TIMEOUT_MS, everyMs: 50 },
  );
  if (!isDone)
    throw new AppError("driver-failed", `Unmounting ${mountPoint}: ${said || "no answer in time"}`);
}

/**
 * What other mount namespaces have copied of our mounts is let go of there too. False when something had to be
 * mounted once more, and is to be unmounted again.
 */
async function waitForDetached(
  { libc, layout }: UnmountContext,
  folder: string,
  attached: readonly Attachment[],
): Promise<boolean> {
  let left = attached;
  const isDetached = async () => {
    const are = await Promise.all(left.map(isAttached));
    for (const [index, one] of left.entries()) if (!are[index]) await forgetLoop(layout, one);
    left = left.filter((_one, index) => are[index]);
    return left.length === 0;
  };
  let kept: readonly MountCopy[] = [];
  for (let waitedMs = 0; waitedMs < DETACH_TIMEOUT_MS; waitedMs += DETACH_SOON_MS) {
    if (await waitFor(isDetached, { timeoutMs: DETACH_SOON_MS, everyMs: 20 })) return true;
    kept = await releaseCopies(libc, { loops: left.map(({ name }) => name), folder });
    if (kept.length === 0 && (await remountAny(left))) return false;
  }
  const loops = left.map(({ name }) => name).join(", ");
  const by = kept.map(({ pid, program }) => `process ${pid} (${program})`).join(", ");
  throw new AppError(
    "driver-failed",
    `Unmounting ${folder}: ${loops} still stands on its image${by === "" ? "" : `, which the mount namespace of ${by} keeps open`}`,
  );
}

async function remountAny(left: readonly Attachment[]): Promise<boolean> {
  const are: boolean[] = [];
  for (const one of left) are.push(await remountOrphan(one));
  return are.includes(true);
}
