/**
 * The end of an epoch that another box has ended: everything of it goes, without another write, before the box
 * begins a new one. Goes on until it is done, whatever stands in its way; until then the box may run nothing.
 */

import type { Timers } from "../../lib/clock.ts";
import { describeError } from "../../lib/errors.ts";
import type { Log, LogFields } from "../../lib/log.ts";
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
/** A row that isn't there comes back only by somebody's hand. */
const REMOVED_AGAIN_MS = 5_000;
/** The same news is told again after so many tries. */
const TELL_EVERY = 120;

/** Returns the new epoch. */
export async function giveUp(deps: GiveUpDeps): Promise<number> {
  const { fence, timers, log } = deps;
  const tell = onlyNews(log);
  // The parents stay frozen until the end: what the node process is still starting stops at their door.
  fence.freezeProcesses();
  for (let tries = 1; ; tries++) {
    let againMs = AGAIN_MS;
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
        againMs = REMOVED_AGAIN_MS;
        tell("node-removed", { advice: "register it again, or end it" });
      } else {
        tell("desktops-survive-kill", { tries });
        // A process that waits for a frozen disk can't be killed before the disk answers it.
        await fence.shutDownDisks();
      }
    } catch (error) {
      tell("epoch-not-given-up", { tries, reason: describeError(error) });
    }
    await new Promise<void>((resolve) => timers.after(againMs, resolve));
  }
}

/** What is no different from the last time is left out, but for now and then. */
function onlyNews(log: Log): (event: string, fields: { readonly reason?: string } & LogFields) => void {
  let last = "";
  let count = 0;
  return (event, fields) => {
    const news = `${event} ${fields.reason ?? ""}`;
    count = news === last ? count + 1 : 0;
    last = news;
    if (count % TELL_EVERY === 0) log.error(event, fields);
  };
}
