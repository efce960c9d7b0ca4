/**
 * What the broker writes of a sitting: when its pipe began, when and how it ended. The only writer of these
 * columns; each write carries its line of the desktop's trail.
 */

import { and, eq, inArray, isNull, type SQL, sql } from "drizzle-orm";
import type { Db } from "../db/client.ts";
import { FORGETTABLE } from "../db/forgettable.ts";
import { insertRow } from "../db/insert.ts";
import { nodes, sessions, vmEvents, vmReports, vms } from "../db/schema/index.ts";
import type { NodeId, SessionId, VmId } from "../domain/ids.ts";
import { describeEndCause, type EndCause, isClosedByEither } from "../domain/session/end-cause.ts";
import type { VmEventCode } from "../domain/vm/event.ts";
import type { Traffic } from "./store.ts";

/** An end without counters leaves those that were recorded last. */
export type Ending = { readonly sessionId: SessionId; readonly cause: string } & Partial<Traffic>;

const ACTOR = "system:broker";

/** False, and nothing written, when the sitting was superseded or ended meanwhile. */
export function recordSessionConnected(db: Db, nodeId: NodeId, sessionId: SessionId): Promise<boolean> {
  return db.transaction(async (tx) => {
    const [row] = await tx
      .update(sessions)
      .set({ connectedAt: sql`qvd_now()` })
      .where(and(eq(sessions.id, sessionId), isNull(sessions.endedAt), isNull(sessions.supersededAt)))
      .returning({ vmId: sessions.vmId });
    if (row === undefined) return false;
    await append(tx, nodeId, {
      ...row,
      code: "session-connected",
      text: "A client is connected.",
      sessionId,
    });
    return true;
  });
}

/**
 * The first end counts; a later one changes nothing. One statement that waits for no disk: whoever looks whether the desktop
 * is free again waits for it. The recorder tells it once more a little later.
 */
export async function recordSessionEnded(db: Db, nodeId: NodeId, ended: Ending): Promise<void> {
  const { sessionId, cause, ...traffic } = ended;
  const end = db
    .update(sessions)
    .set({ endedAt: sql`qvd_now()`, endCause: isClosedByEither(cause) ? known(cause) : cause, ...traffic })
    .where(and(eq(sessions.id, sessionId), isNull(sessions.endedAt)))
    .returning({ vmId: sessions.vmId, connectedAt: sessions.connectedAt, endCause: sessions.endCause });
  const told = isClosedByEither(cause) ? [cause, ...ORDERED] : [cause];
  const how = sql.join(
    told.map((one) => sql`when ${one}::text then ${describeEndCause(one)}::text`),
    sql` `,
  );
  const code: VmEventCode = "session-ended";
  await db.execute(sql`
    with ended as (${end.getSQL()})
    insert into ${vmEvents} (vm_id, node_id, code, text, wish_generation, actor, detail)
    select ended.vm_id, ${nodeId}::integer, ${code}::text,
      case when ended.connected_at is null then 'A client''s wait ended: ' else 'A client''s session ended: ' end
        || case ended.end_cause ${how} end || '.',
      coalesce(${vms.wishGeneration}, 0), ${ACTOR}::text, jsonb_build_object('sessionId', ${sessionId}::bigint)
    from ended left join ${vms} on ${vms.id} = ended.vm_id
    returning ${FORGETTABLE}`);
}

const ORDERED = ["node-drained", "desktop-stopped", "broker-replaced"] as const satisfies readonly EndCause[];

/** Of a desktop's trail: what was told while one went down fits into them. */
export const LAST_EVENTS = 30;
/** States of a desktop, for SQL. */
export const GOING_DOWN = sql`('stopping_1', 'stopping_2', 'zombie_1', 'zombie_2', 'stopped')`;

/**
 * What the order was by which its desktop went down, or goes down; `cause` where there was none. Who hangs up last may do so when the
 * desktop is stopped already, or is another node's. A connection that closes from the desktop's side when its end was announced was
 * relayed by a broker that is replaced: our own ends say so themselves.
 */
function known(cause: string): SQL {
  return sql`coalesce((
    select case
      when r.state not in ${GOING_DOWN} then null
      when v.wish = 'stopped' then 'desktop-stopped'
      when r.state <> 'stopped' and n.drain = 'move' then 'node-drained'
    end
    from ${vmReports} r join ${vms} v on v.id = r.vm_id left join ${nodes} n on n.id = v.node_id
    where r.vm_id = sessions.vm_id
  ), (
    select 'node-drained' from (
      select code, at from ${vmEvents} where vm_id = sessions.vm_id order by id desc limit ${LAST_EVENTS}
    ) e where e.code = 'desktop-released' and e.at >= sessions.connected_at limit 1
  ), (
    select 'broker-replaced' from ${vms} v
    where v.id = sessions.vm_id and v.node_id <> sessions.broker_node_id
      and ${cause}::text = 'desktop-closed' and sessions.ends_at <= qvd_now() + interval '1 minute'
  ), ${cause}::text)`;
}

/** Ends the open sittings of workers of this node that are gone, and says how many there were. */
export async function recordOrphansEnded(
  db: Db,
  nodeId: NodeId,
  isGone: (worker: string) => boolean,
): Promise<number> {
  const open = and(eq(sessions.brokerNodeId, nodeId), isNull(sessions.endedAt));
  const workers = await db.selectDistinct({ name: sessions.brokerWorker }).from(sessions).where(open);
  const gone = workers.map(({ name }) => name).filter(isGone);
  if (gone.length === 0) return 0;
  const orphans = await db
    .select({ sessionId: sessions.id })
    .from(sessions)
    .where(and(open, inArray(sessions.brokerWorker, gone)));
  const cause = "broker-lost";
  for (const { sessionId } of orphans) await recordSessionEnded(db, nodeId, { cause, sessionId });
  return orphans.length;
}

type Line = {
  readonly vmId: VmId;
  readonly code: VmEventCode;
  readonly text: string;
  readonly sessionId: SessionId;
};

async function append(tx: Db, nodeId: NodeId, line: Line): Promise<void> {
  const { vmId, code, text, sessionId } = line;
  const [vm] = await tx.select({ wishGeneration: vms.wishGeneration }).from(vms).where(eq(vms.id, vmId));
  const wishGeneration = vm?.wishGeneration ?? 0;
  const detail = { sessionId };
  await insertRow(tx, vmEvents, { vmId, nodeId, code, text, wishGeneration, actor: ACTOR, detail });
}
