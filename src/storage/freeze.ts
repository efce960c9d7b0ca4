/**
 * Stops and lets go on what is written to the file systems of desktops. A box that may have lost its right to
 * run freezes the desktops' processes first and then these, so that no dirty page reaches the storage after
 * another box has taken over. The keeper calls it.
 *
 * By a program for each file system and not by a system call of our own: freezing writes out what is dirty,
 * and where the storage doesn't answer that takes for ever. Then the program hangs in the kernel, not the caller.
 */

import { describeError } from "../lib/errors.ts";
import { run } from "../lib/run.ts";

export type FreezeOutcome = {
  readonly mountPoint: string;
  /** Undefined when it is as was asked for; else why not, or that there was no answer in time. */
  readonly fault: string | undefined;
};

const FSFREEZE = "/usr/sbin/fsfreeze";

/** Never throws: each fault is in its outcome. Whatever is frozen already counts as done. */
export function freeze(
  mountPoints: readonly string[],
  options: { readonly timeoutMs: number },
): Promise<readonly FreezeOutcome[]> {
  // EBUSY is the kernel's word for "frozen already".
  return onEach(mountPoints, { ...options, flag: "--freeze", done: /resource busy/i });
}

/** As `freeze`; whatever isn't frozen counts as done. */
export function thaw(
  mountPoints: readonly string[],
  options: { readonly timeoutMs: number },
): Promise<readonly FreezeOutcome[]> {
  return onEach(mountPoints, { ...options, flag: "--unfreeze", done: /invalid argument/i });
}

type Action = { readonly flag: string; readonly done: RegExp; readonly timeoutMs: number };

function onEach(mountPoints: readonly string[], action: Action): Promise<readonly FreezeOutcome[]> {
  return Promise.all(
    mountPoints.map(async (mountPoint) => ({ mountPoint, fault: await faultOf(mountPoint, action) })),
  );
}

async function faultOf(mountPoint: string, action: Action): Promise<string | undefined> {
  try {
    const command = [FSFREEZE, action.flag, mountPoint];
    const { exitCode, stderr } = await run(command, { timeoutMs: action.timeoutMs });
    if (exitCode === 0 || action.done.test(stderr)) return undefined;
    return stderr.trim() || `${FSFREEZE} ended with ${exitCode}`;
  } catch (error) {
    return describeError(error);
  }
}
