/** Has tokens forgotten that are over for long; what is missed at one round goes at the next. */

import type { Db } from "../../db/client.ts";
import type { Log } from "../../lib/log.ts";
import { sleep } from "../../lib/wait.ts";
import { sweepTokens } from "../../service/token/sweep.ts";

const EVERY_MS = 60 * 60_000;

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
    } catch (error) {
      log.warn("tokens-not-swept", { error });
    }
  }
}
