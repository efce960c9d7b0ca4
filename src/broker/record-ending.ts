/** What the broker writes of sittings that end with it: when, so that the people in them can be told. */

import { and, eq, isNull, sql } from "drizzle-orm";
import type { Db } from "../db/client.ts";
import { sessions } from "../db/schema/index.ts";
import type { NodeId } from "../domain/ids.ts";

export type Ending = { readonly nodeId: NodeId; readonly worker: string; readonly inMs: number };

/** Of all open sittings of the worker; the first word counts. */
export async function recordSessionsEnding(db: Db, { nodeId, worker, inMs }: Ending): Promise<void> {
  await db
    .update(sessions)
    .set({ endsAt: sql`qvd_now() + ${Math.round(inMs)} * interval '1 millisecond'` })
    .where(
      and(
        eq(sessions.brokerNodeId, nodeId),
        eq(sessions.brokerWorker, worker),
        isNull(sessions.endedAt),
        isNull(sessions.endsAt),
      ),
    );
}
