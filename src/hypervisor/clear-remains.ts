/** Ends what lives of a desktop and cleans up after it, again where a start that lost its node gets going in between. */

import type { VmId } from "../domain/ids.ts";
import { AppError, isAppError } from "../lib/errors.ts";
import { waitFor } from "../lib/wait.ts";

export type Remains = {
  isAlive(): Promise<boolean>;
  kill(): Promise<void>;
  /** Refuses with `conflict` what is alive. */
  cleanUp(): Promise<void>;
  /** What it is that can survive being killed, such as "its QEMU". */
  readonly survivor: string;
};

const END_TIMEOUT_MS = 10_000;

/** `blocked` where that isn't done in time. */
export async function clearRemains(vmId: VmId, remains: Remains, timeoutMs = END_TIMEOUT_MS): Promise<void> {
  const isClear = await waitFor(() => tryToClear(remains), { timeoutMs, everyMs: 20 });
  if (!isClear)
    throw new AppError(
      "blocked",
      `Ending what is left of desktop ${vmId}: ${remains.survivor} survives KILL, as one does that waits for a disk or a file server that doesn't answer`,
    );
}

async function tryToClear(remains: Remains): Promise<boolean> {
  if (await remains.isAlive()) {
    await remains.kill();
    return false;
  }
  try {
    await remains.cleanUp();
    return true;
  } catch (cause) {
    if (isAppError(cause) && cause.code === "conflict") return false;
    throw cause;
  }
}
