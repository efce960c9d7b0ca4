/**
 * The end of an epoch that another box has ended: everything of it goes, without another write, before the box
 * begins a new one. Goes on until it is done, whatever stands in its way; until then the box may run nothing.
 */

import type { Timers } from "../../lib/clock.ts";
import { describeError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import type { Fence } from "./fence.ts";

export type GiveUpDeps = {
  readonly fence: Omit<Fence, never>;
  readonly endNode: () => Promise<void>;
  /** The new epoch; undefined when the node was removed. */
  readonly retake: () => Promise<number | undefined>;
  readonly timers: Timers;
  readonly log: Log;
};

const KILL_MS = 2_000;
const AGAIN_MS = 500;

/** Returns the new epoch. */
export async function giveUp(deps: GiveUpDeps): Promise<number> {
  const { fence, timers, log } = deps;
  // The parents stay frozen until the end: what the node process is still starting stops at their door.
  fence.freezeProcesses();
  for (let tries = 1; ; tries++) {
    try {
      const isKilled = await fence.kill(KILL_MS);
      await deps.endNode();
      if (isKilled && (await fence.kill(KILL_MS))) {
        await fence.dropDisks();
        const epoch = await deps.retake();
        if (epoch !== undefined) {
          await fence.thaw();
          return epoch;
        }
        log.error("node-removed", { advice: "register it again, or end it" });
      } else log.error("desktops-survive-kill", { tries });
    } catch (error) {
      log.warn("epoch-not-given-up", { tries, reason: describeError(error) });
    }
    await new Promise<void>((resolve) => timers.after(AGAIN_MS, resolve));
  }
}
