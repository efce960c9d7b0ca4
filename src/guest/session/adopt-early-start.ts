/**
 * Takes over the session that init has begun beside the agent, by the node's script (`order-script.ts`): from here on it
 * is one of an earlier agent's, which is found again. Where the script has ended without one there is nothing to adopt; one
 * that is still at it after seconds is ended, since the agent is about to do the same things itself.
 */

import { readFileSync } from "node:fs";
import type { Log } from "../../lib/log.ts";
import { waitFor } from "../../lib/wait.ts";
import type { GuestPlaces } from "../places.ts";
import { endTree } from "./end-tree.ts";
import type { PrepareOrder } from "./order.ts";
import { type ProcessInfo, readProcess } from "./processes.ts";
import { writeRecord } from "./record.ts";

/** It takes some ten milliseconds, and mostly is over before the agent begins. */
const SCRIPT_MS = 5_000;
const GRACE_MS = 1_000;

export type AdoptOptions = { readonly log: Log; readonly scriptMs?: number; readonly graceMs?: number };

/** Returns when the script has become the session or is over: until then it may be making the account. True when adopted. */
export async function adoptEarlyStart(
  places: Pick<GuestPlaces, "early" | "record">,
  { account, session }: Pick<PrepareOrder, "account" | "session">,
  { log, scriptMs = SCRIPT_MS, graceMs = GRACE_MS }: AdoptOptions,
): Promise<boolean> {
  const pid = readPid(places.early);
  if (pid === undefined) return false;
  const isSession = ({ uid, session: leader }: ProcessInfo) => uid === account.uid && leader === pid;
  const found = await waitFor(
    () => {
      const seen = readProcess(pid);
      if (seen === undefined || seen.isZombie) return "gone" as const;
      return isSession(seen) ? seen : undefined;
    },
    { timeoutMs: scriptMs, everyMs: 1 },
  );
  if (found === undefined) {
    log.warn("early-start-ended", { pid, afterMs: scriptMs, by: await endTree(pid, graceMs) });
    return false;
  }
  if (found === "gone") return false;
  const leader = { pid, startTicks: found.startTicks };
  writeRecord(places.record, { leader, nxagent: null, session, login: account.login, uid: account.uid });
  return true;
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, "utf8").trim());
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    // Nothing was begun.
    return undefined;
  }
}
