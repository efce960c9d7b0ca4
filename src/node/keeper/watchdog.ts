/**
 * The machine's own watchdog: armed by the first pat, it restarts the machine when no other follows. That is
 * what fences a box whose keeper and node process are both stopped.
 */

import { closeSync, openSync, writeSync } from "node:fs";
import { describeError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";

export type Watchdog = {
  pat(): void;
  /** Disarms it: our orderly end is no reason to restart a machine. */
  disarm(): void;
};

const NONE: Watchdog = { pat: () => {}, disarm: () => {} };

/** An empty path is none; a device that can't be opened is told of, and there is none. */
export function openWatchdog(path: string, log: Log): Watchdog {
  if (path === "") return NONE;
  try {
    const device = openSync(path, "w");
    return {
      pat: () => void writeSync(device, "\n"),
      disarm() {
        // The letter that tells the driver so (Documentation/watchdog/watchdog-api.rst).
        writeSync(device, "V");
        closeSync(device);
      },
    };
  } catch (error) {
    log.error("watchdog-not-armed", { path, reason: describeError(error) });
    return NONE;
  }
}
