/** A lock on a file that excludes other processes and other callers of this one, and ends with its holder. */

import { closeSync, openSync } from "node:fs";
import { AppError } from "../lib/errors.ts";
import { waitFor } from "../lib/wait.ts";
import type { Libc } from "./libc.ts";

export type LockOptions = {
  readonly path: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

/** Runs `use` while holding the lock. `timeout` when another keeps it for too long. */
export async function withFileLock<T>(libc: Libc, options: LockOptions, use: () => Promise<T>): Promise<T> {
  // Not inherited by children (O_CLOEXEC): an orphan must not keep the lock.
  const descriptor = openSync(options.path, "a", 0o600);
  try {
    const isHeld = await waitFor(() => libc.tryLock(descriptor), {
      timeoutMs: options.timeoutMs,
      everyMs: 50,
      signal: options.signal,
    });
    options.signal.throwIfAborted();
    if (!isHeld)
      throw new AppError(
        "timeout",
        `another process holds the lock ${options.path}; \`fuser -v ${options.path}\` as root of the box names it`,
      );
    return await use();
  } finally {
    closeSync(descriptor);
  }
}
