/**
 * Has the database forget what happened longer ago than the site's settings say: sessions, trails, audit log; and visits that are over. Any
 * box may do it, and each does; a function of the database decides what goes, a bounded number of rows a call.
 */

import { sql } from "drizzle-orm";
import type { Db } from "../db/client.ts";
import type { Log } from "../lib/log.ts";
import { sleep } from "../lib/wait.ts";

export type SweepHistoryDeps = { readonly db: Db; readonly log: Log };

export type SweepHistoryPace = {
  /** Between sweeps; the first comes so long after the start. */
  readonly everyMs: number;
  /** Between the calls of one sweep, so that others get their turn. */
  readonly pauseMs: number;
  readonly rowsACall: number;
  /** What is left then is the next sweep's. */
  readonly mostCalls: number;
};

export const SWEEP_HISTORY_PACE: SweepHistoryPace = {
  everyMs: 60 * 60_000,
  pauseMs: 1_000,
  rowsACall: 1_000,
  mostCalls: 500,
};

/** Until the signal. A database that is away is asked again at the next turn. */
export async function keepSweepingHistory(
  deps: SweepHistoryDeps,
  signal: AbortSignal,
  pace: SweepHistoryPace = SWEEP_HISTORY_PACE,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(pace.everyMs, signal);
    if (signal.aborted) return;
    try {
      const gone = await sweepHistory(deps.db, signal, pace);
      if (gone > 0) deps.log.info("history-swept", { rows: gone });
    } catch (error) {
      deps.log.warn("history-not-swept", { error });
    }
  }
}

/** Returns how many rows went. */
export async function sweepHistory(db: Db, signal: AbortSignal, pace: SweepHistoryPace): Promise<number> {
  let gone = 0;
  for (let call = 0; call < pace.mostCalls && !signal.aborted; call++) {
    if (call > 0) await sleep(pace.pauseMs, signal);
    const [row] = await db.execute<{ gone: number }>(
      sql`select qvd_sweep_history(${pace.rowsACall}::int)::float8 as gone`,
    );
    if (row === undefined || row.gone === 0) return gone;
    gone += row.gone;
  }
  return gone;
}
