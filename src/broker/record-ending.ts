/** What the broker writes of sittings that end with it: when, so that the people in them can be told. */

import { and, eq, inArray, isNull, or, sql } from "drizzle-orm";
import type { Db } from "../db/client.ts";
import { sessions } from "../db/schema/index.ts";
import type { NodeId, SessionId } from "../domain/ids.ts";

export type Ending = {
  readonly nodeId: NodeId;
  readonly worker: string;
  /** Sittings of other boxes' workers that end with this one all the same. */
  readonly relayed: readonly SessionId[];
  readonly inMs: number;
};

/** Of all open sittings that the worker carries. The nearest time counts, and saying the same again writes nothing. */
export async function recordSessionsEnding(db: Db, ending: Ending): Promise<void> {
  const { nodeId, worker, relayed, inMs } = ending;
  const at = sql`qvd_now() + ${Math.round(inMs)} * interval '1 millisecond'`;
  const own = and(eq(sessions.brokerNodeId, nodeId), eq(sessions.brokerWorker, worker));
  await db
    .update(sessions)
    .set({ endsAt: at })
    .where(
      and(
        relayed.length === 0 ? own : or(own, inArray(sessions.id, [...relayed])),
        isNull(sessions.endedAt),
        or(isNull(sessions.endsAt), sql`${sessions.endsAt} > ${at} + interval '5 seconds'`),
      ),
    );
}
