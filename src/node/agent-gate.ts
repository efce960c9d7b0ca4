/**
 * What a desktop's agent waits at while the processors are for sessions: a named pipe beside the guest channel, read by
 * the desktop's init before it starts its agent, with this process as its writer. It ends with its writer, so that an agent
 * whose node is killed goes on by itself; whoever comes when there is no gate any more doesn't wait.
 */

import { dlopen, FFIType, ptr } from "bun:ffi";
import { chownSync, closeSync, constants, openSync, rmSync, writeSync } from "node:fs";
import { AppError } from "../lib/errors.ts";

/** Lets the agent through; may be called again. */
export type OpenGate = () => void;

export type AgentGates = {
  /** Makes a gate and shuts it. The desktop's root alone may read it, or open it by writing. */
  shut(path: string, ownerUid: number): OpenGate;
  /** Opens what a node process before left shut; nothing to do where there is none. */
  openLeft(path: string): void;
};

const MODE = 0o600;
const ON_THE_WAY_MS = 1_000;
/** As a writer that is a reader too, opening waits for nobody. */
const BOTH_WAYS = constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW;

export function createAgentGates(): AgentGates {
  const { i32, u32, pointer } = FFIType;
  // Bun has no call for it, and a program would cost each start a millisecond.
  const { mkfifo } = dlopen("libc.so.6", { mkfifo: { args: [pointer, u32], returns: i32 } }).symbols;
  return {
    shut(path, ownerUid) {
      rmSync(path, { force: true });
      if (mkfifo(ptr(Buffer.from(`${path}\0`)), MODE) !== 0)
        throw new AppError("driver-failed", `making the pipe ${path}: the kernel refused`);
      chownSync(path, ownerUid, ownerUid);
      const file = openSync(path, BOTH_WAYS);
      let isShut = true;
      return () => {
        if (!isShut) return;
        isShut = false;
        // First the way, then who stands there already, or has found it and is on its way in: that one would find no writer.
        rmSync(path, { force: true });
        letThrough(file);
        setTimeout(() => closeSync(file), ON_THE_WAY_MS).unref();
      };
    },
    openLeft(path) {
      try {
        const file = openSync(path, BOTH_WAYS);
        rmSync(path, { force: true });
        closeSync(file);
      } catch {
        // There is none, as is usual.
      }
    },
  };
}

function letThrough(file: number): void {
  try {
    writeSync(file, "\n");
  } catch {
    // The desktop's root has filled it: whoever reads there has something to read already.
  }
}
