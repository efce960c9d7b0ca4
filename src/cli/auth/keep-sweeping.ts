/** Has forgotten what is over: tokens for long, failures to sign in at once. What is missed at one round goes at the next. */

import type { Db } from "../../db/client.ts";
import type { Log } from "../../lib/log.ts";
import { sleep } from "../../lib/wait.ts";
import { sweepMarks } from "../../service/sign-in-throttle/forget-marks.ts";
import { sweepTokens } from "../../service/token/sweep.ts";

/** Whoever guesses leaves a row for each name. */
const EVERY_MS = 10 * 60_000;

/** Until the signal; never rejects. */
export async function keepSweepingTokens(
  { db, log }: { readonly db: Db; readonly log: Log },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(EVERY_MS, signal);
    if (signal.aborted) return;
    try {
      const gone = await sweepTokens({ db, actor: { kind: "system", what: "auth" } });
      if (gone > 0) log.info("tokens-swept", { gone });
      await sweepMarks({ db, actor: { kind: "system", what: "auth" } });
    } catch (error) {
      log.warn("tokens-not-swept", { error });
    }
  }
}
