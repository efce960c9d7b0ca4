/**
 * Stops and lets go on what is written to the file systems of desktops. A box that may have lost its right to
 * run freezes the desktops' processes first and then these, so that no dirty page reaches the storage after
 * another box has taken over. The keeper calls it.
 *
 * By a program for each file system and not by a system call of our own: freezing writes out what is dirty,
 * and where the storage doesn't answer that takes for ever. Then the program hangs in the kernel, not the caller.
 * It gets the file system as an open descriptor, never as a path.
 *
 * A frozen file system outlives its last mount: whoever unmounts one thaws it first (`settle-disk.ts`).
 */

import { describeError } from "../lib/errors.ts";
import { run } from "../lib/run.ts";
import { type DiskMount, type PinnedMount, pinMount } from "./pin-mount.ts";

export type FreezeOutcome = {
  readonly mountPoint: string;
  /** Undefined when it is as was asked for; else why not, or that there was no answer in time. */
  readonly fault: string | undefined;
};

const FSFREEZE = "/usr/sbin/fsfreeze";
export const FREEZE_FLAG = "--freeze";
/** Where the program gets the descriptor; `/proc` leads to the same file system, wherever it is mounted by then. */
export const FREEZER_DESCRIPTOR = 3;

type Action = { readonly flag: string; readonly done: RegExp };

// EBUSY and EINVAL are the kernel's words for "frozen already" and "not frozen".
const FREEZE: Action = { flag: FREEZE_FLAG, done: /resource busy/i };
const THAW: Action = { flag: "--unfreeze", done: /invalid argument/i };

type Times = { readonly timeoutMs: number };

/** Never throws: each fault is in its outcome. Whatever is frozen already counts as done. */
export function freeze(disks: readonly DiskMount[], times: Times): Promise<readonly FreezeOutcome[]> {
  return Promise.all(disks.map((disk) => actOn(disk, FREEZE, times)));
}

/** As `freeze`; whatever isn't frozen counts as done. */
export function thaw(disks: readonly DiskMount[], times: Times): Promise<readonly FreezeOutcome[]> {
  return Promise.all(disks.map((disk) => actOn(disk, THAW, times)));
}

/** The fault in words, if there was one. */
export function freezePinned(pinned: PinnedMount, times: Times): Promise<string | undefined> {
  return actOnPinned(pinned, FREEZE, times);
}

export function thawPinned(pinned: PinnedMount, times: Times): Promise<string | undefined> {
  return actOnPinned(pinned, THAW, times);
}

async function actOn(disk: DiskMount, action: Action, times: Times): Promise<FreezeOutcome> {
  const { mountPoint } = disk;
  try {
    const pinned = pinMount(disk);
    try {
      return { mountPoint, fault: await actOnPinned(pinned, action, times) };
    } finally {
      pinned.release();
    }
  } catch (error) {
    return { mountPoint, fault: describeError(error) };
  }
}

async function actOnPinned(
  { descriptor }: PinnedMount,
  action: Action,
  { timeoutMs }: Times,
): Promise<string | undefined> {
  try {
    const command = [FSFREEZE, action.flag, `/proc/self/fd/${FREEZER_DESCRIPTOR}`];
    const { exitCode, stderr } = await run(command, { timeoutMs, descriptor });
    if (exitCode === 0 || action.done.test(stderr)) return undefined;
    return stderr.trim() || `${FSFREEZE} ended with ${exitCode}`;
  } catch (error) {
    return describeError(error);
  }
}
