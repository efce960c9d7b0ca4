/**
 * Unmounts a folder with all below it, and waits until the loop devices that stood there have let go of their
 * images: then their locks are free for another box.
 */

import { readFile } from "node:fs/promises";
import { AppError } from "../lib/errors.ts";
import { run } from "../lib/run.ts";
import { waitFor } from "../lib/wait.ts";
import type { Libc } from "./libc.ts";
import { type Mount, parseMountinfo } from "./mountinfo.ts";
import { type MountCopy, releaseCopies } from "./release-copies.ts";

/** A container's end is seen some milliseconds before the kernel has let go of its mounts. */
const BUSY_TIMEOUT_MS = 5_000;
/** A program that a killed node had started may mount once more after we looked. */
export const MOST_LATE_MOUNTS = 3;
const DETACH_SOON_MS = 500;
/** A container that is just being made, or a short sandbox of a person, has copies for a moment. */
const DETACH_TIMEOUT_MS = 10_000;

/** A loop device as long as it stands on one file: attached again, it has another sequence. */
type Attachment = { readonly name: string; readonly sequence: string };

/** `driver-failed` names what can't be unmounted, or who else keeps it open. */
export async function unmountAll(libc: Libc, folder: string): Promise<void> {
  const attached: Attachment[] = [];
  let { inside: left, outside } = await listMounts(folder);
  for (let tries = 0; left.length > 0 && tries < MOST_LATE_MOUNTS; tries++) {
    attached.push(...(await listAttached(left, outside)));
    for (const { mountPoint } of left.toReversed()) await unmount(mountPoint);
    ({ inside: left, outside } = await listMounts(folder));
  }
  const places = left.map(({ mountPoint }) => mountPoint).join(", ");
  if (places !== "") throw new AppError("driver-failed", `Unmounting ${folder}: ${places} is still mounted`);
  if (attached.length > 0) await waitForDetached(libc, folder, attached);
}

/** Mount points at or below `folder`, in the order of mounting. */
export async function mountsBelow(folder: string): Promise<readonly string[]> {
  return (await listMounts(folder)).inside.map(({ mountPoint }) => mountPoint);
}

type Mounts = { readonly inside: readonly Mount[]; readonly outside: readonly Mount[] };

async function listMounts(folder: string): Promise<Mounts> {
  const mounts = parseMountinfo(await readFile("/proc/self/mountinfo", "utf8"));
  const isInside = ({ mountPoint }: Mount) => mountPoint === folder || mountPoint.startsWith(`${folder}/`);
  return { inside: mounts.filter(isInside), outside: mounts.filter((mount) => !isInside(mount)) };
}

async function unmount(mountPoint: string): Promise<void> {
  let said = "";
  const isDone = await waitFor(
    async () => {
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

/** What is mounted elsewhere too is not ours to detach: the box's own disk may be such a device. */
async function listAttached(
  inside: readonly Mount[],
  outside: readonly Mount[],
): Promise<readonly Attachment[]> {
  const others = new Set(outside.map(({ source }) => source));
  const ours = inside.filter(({ source }) => !others.has(source));
  const names = new Set(ours.flatMap(({ source }) => /^\/dev\/(loop\d+)$/.exec(source)?.[1] ?? []));
  return await Promise.all([...names].map(async (name) => ({ name, sequence: await readSequence(name) })));
}

/** What other mount namespaces have copied of our mounts is let go of there too. */
async function waitForDetached(libc: Libc, folder: string, attached: readonly Attachment[]): Promise<void> {
  let loops: readonly string[] = [];
  const isDetached = async () => {
    const still = attached.map(async ({ name, sequence }) =>
      (await isAttached(name)) && (await readSequence(name)) === sequence ? [name] : [],
    );
    loops = [...new Set((await Promise.all(still)).flat())];
    return loops.length === 0;
  };
  let kept: readonly MountCopy[] = [];
  for (let waitedMs = 0; waitedMs < DETACH_TIMEOUT_MS; waitedMs += DETACH_SOON_MS) {
    if (await waitFor(isDetached, { timeoutMs: DETACH_SOON_MS, everyMs: 20 })) return;
    kept = await releaseCopies(libc, { loops, folder });
  }
  const by = kept.map(({ pid, program }) => `process ${pid} (${program})`).join(", ");
  throw new AppError(
    "driver-failed",
    `Unmounting ${folder}: ${loops.join(", ")} still stands on its image${by === "" ? "" : `, which the mount namespace of ${by} keeps open`}`,
  );
}

async function isAttached(name: string): Promise<boolean> {
  // The file is there only while the device stands on one.
  return (await readFile(`/sys/block/${name}/loop/backing_file`, "utf8").catch(() => "")) !== "";
}

/** Kernels before 5.15 don't count: then the name alone must do. */
async function readSequence(name: string): Promise<string> {
  return await readFile(`/sys/block/${name}/diskseq`, "utf8").catch(() => "");
}
