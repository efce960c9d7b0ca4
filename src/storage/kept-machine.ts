/**
 * The system of a machine that keeps everything: a copy of its image, under its name only once it is whole. How
 * much an image unfolds to is told by nobody but the copying, so that is bounded by what the disk can spare.
 */

import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { VmId } from "../domain/ids.ts";
import { keptFolder } from "../domain/node/layout.ts";
import { AppError } from "../lib/errors.ts";
import { convertDisk } from "./convert-disk.ts";
import { freeBytes } from "./free-bytes.ts";
import type { StorageContext } from "./storage.ts";

export type KeptMachine = {
  readonly vmId: VmId;
  readonly imagePath: string;
  readonly format: "qcow2" | "raw";
  readonly systemDisk: string;
};

const COPY_TIMEOUT_MS = 15 * 60_000;
const SPACE_CHECK_MS = 200;
const BLOCK_BYTES = 512;
const MB = 2 ** 20;

/** `storage-full` before the reserve is touched; a failure leaves nothing of the copy. */
export async function ensureKeptMachine(context: StorageContext, machine: KeptMachine): Promise<void> {
  const { systemDisk, vmId } = machine;
  const folder = dirname(systemDisk);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await removeUnfinished(folder, /\.qcow2\.new/);
  if ((await stat(systemDisk).catch(() => undefined)) !== undefined) return;
  const temporary = `${systemDisk}${endingOf(context)}`;
  try {
    await copy(context, machine, temporary);
    await rename(temporary, systemDisk);
  } catch (cause) {
    await removeUnfinished(keptFolder(context.layout, vmId), /\.qcow2\.new/);
    throw cause;
  }
}

/** Copies of this box that a kill left. Another box may be at work on one of its own by now. */
export async function sweepKeptMachine(
  context: Pick<StorageContext, "layout" | "boxName">,
  vmId: VmId,
): Promise<void> {
  const ending = endingOf(context);
  await removeUnfinished(keptFolder(context.layout, vmId), { test: (name) => name.endsWith(ending) });
}

function endingOf({ boxName }: Pick<StorageContext, "boxName">): string {
  return `.new.${encodeURIComponent(boxName)}`;
}

async function removeUnfinished(
  folder: string,
  which: { readonly test: (name: string) => boolean },
): Promise<void> {
  for (const name of await readdir(folder).catch((): string[] => []))
    if (which.test(name)) await rm(`${folder}/${name}`, { force: true });
}

/** Bounded twice: by the size of this file, and by what others write meanwhile. */
async function copy(context: StorageContext, machine: KeptMachine, to: string): Promise<void> {
  const { reserveBytes } = context;
  const folder = dirname(to);
  const spareBytes = (await freeBytes(folder)) - reserveBytes;
  // What the image itself takes is the least that comes out of it.
  if (spareBytes < (await stat(machine.imagePath)).blocks * BLOCK_BYTES) throw full(context, machine);
  const tooFull = new AbortController();
  const watch = setInterval(async () => {
    const free = await freeBytes(folder).catch(() => Number.MAX_SAFE_INTEGER);
    if (free < reserveBytes) tooFull.abort();
  }, SPACE_CHECK_MS);
  try {
    await convertDisk(`Copying the image for desktop ${machine.vmId}`, {
      ...{ from: machine.imagePath, format: machine.format, to, mostBytes: spareBytes },
      ...{ timeoutMs: COPY_TIMEOUT_MS, signal: tooFull.signal },
    });
  } catch (cause) {
    const isFull = cause instanceof AppError && cause.code === "storage-full";
    throw isFull || tooFull.signal.aborted ? full(context, machine, cause) : cause;
  } finally {
    clearInterval(watch);
  }
}

function full({ layout, reserveBytes }: StorageContext, { vmId }: KeptMachine, cause?: unknown): AppError {
  const kept = Math.round(reserveBytes / MB);
  const text = `Copying the image for desktop ${vmId}: its system doesn't fit on the disk of ${layout.keptFolder} (${kept} MB are kept free). Make room there, or give its OSF another persistence than "everything".`;
  return new AppError("storage-full", text, { cause });
}
