/**
 * What a sitting's end was, once more is known of it. When the programs inside end, nxagent says goodbye and the client closes
 * first, so at the pipe that looks like a client that left; a browser's screen is closed by the desktop, which may also be a
 * screen server that died; and a desktop that goes down by itself closes both before its node has said so.
 */

import { sql } from "drizzle-orm";
import type { Db } from "../db/client.ts";
import { sessions, vmEvents, vmReports, vms } from "../db/schema/index.ts";
import type { NodeId, SessionId } from "../domain/ids.ts";
import { GOING_DOWN, LAST_EVENTS } from "./record-session.ts";

/**
 * Corrects the end of a sitting whose client left, or whose screen closed. Where the desktop goes on and its X session is over,
 * somebody signed out; not who was at a machine's console, which has none. Where the desktop goes down too and is to stay so, that
 * was the end; of one whose client left, only when the desktop itself announced it: else it may be what was ordered once nobody was
 * there. Where an X session waits to which another box's broker led, that broker is gone. Nothing where somebody has sat down since: what is over could be theirs.
 */
export async function recordSecondLook(db: Db, nodeId: NodeId, sessionId: SessionId): Promise<void> {
  await db.execute(sql`
    with learned as (
      select s.id, case
        when r.state = 'running' and r.x_state in ('none', 'stopping')
          and (s.access = 'browser' or s.access = 'nx' and s.end_cause = 'client-left') then 'signed-out'
        when r.state in ${GOING_DOWN} and v.wish = 'stopped' and (s.end_cause = 'desktop-closed' or exists (
          select 1 from (
            select code, at from ${vmEvents} where vm_id = s.vm_id order by id desc limit ${LAST_EVENTS}
          ) e where e.code = 'poweroff-announced' and e.at >= s.connected_at
        )) then 'desktop-stopped'
        when r.state = 'running' and r.x_state in ('suspending', 'suspended') and s.access = 'nx'
          and s.end_cause = 'desktop-closed' and v.node_id <> s.broker_node_id then 'broker-lost'
      end as cause
      from ${sessions} s join ${vmReports} r on r.vm_id = s.vm_id join ${vms} v on v.id = s.vm_id
      where s.id = ${sessionId} and s.end_cause in ('client-left', 'desktop-closed')
        and not exists (select 1 from ${sessions} later where later.vm_id = s.vm_id and later.id > s.id)
    ), corrected as (
      update ${sessions} set end_cause = learned.cause from learned
      where sessions.id = learned.id and learned.cause is not null
      returning sessions.vm_id, sessions.end_cause
    )
    insert into ${vmEvents} (vm_id, node_id, code, text, actor, detail)
    select vm_id, ${nodeId}::int, 'session-ended',
      case end_cause
        when 'signed-out' then 'The person signed out, or the program ended: the session inside is over.'
        when 'broker-lost' then 'The session ended because the broker of the desktop''s box, which led to it, is gone.'
        else 'The session ended because the desktop was shut down.'
      end,
      'system:broker', jsonb_build_object('sessionId', ${sessionId}::bigint)
    from corrected`);
}
