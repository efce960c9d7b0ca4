/**
 * Tells a person who signed out from a client that left. When the programs inside end, nxagent says goodbye and the
 * client closes first, so at the pipe both look the same; what became of the X session, the node reports a moment later.
 * A browser's screen is closed by the desktop, which may also be a screen server that died.
 */

import { sql } from "drizzle-orm";
import type { Db } from "../db/client.ts";
import { sessions, vmEvents, vmReports } from "../db/schema/index.ts";
import type { NodeId, SessionId } from "../domain/ids.ts";

/**
 * Corrects the end of a sitting whose client left, or whose screen closed, when the desktop goes on and its X session is over. Nothing where
 * somebody has sat down there since: what is over could be theirs.
 */
export async function recordSignedOut(db: Db, nodeId: NodeId, sessionId: SessionId): Promise<void> {
  await db.execute(sql`
    with corrected as (
      update ${sessions} set end_cause = 'signed-out' from ${vmReports} r
      where sessions.id = ${sessionId}
        and (sessions.end_cause = 'client-left' or sessions.end_cause = 'desktop-closed' and sessions.access = 'browser')
        and r.vm_id = sessions.vm_id and r.state = 'running' and r.x_state in ('none', 'stopping')
        and not exists (select 1 from ${sessions} later where later.vm_id = sessions.vm_id and later.id > sessions.id)
      returning sessions.vm_id
    )
    insert into ${vmEvents} (vm_id, node_id, code, text, actor, detail)
    select vm_id, ${nodeId}::int, 'session-ended', 'The person signed out, or the program ended: the session inside is over.',
      'system:broker', jsonb_build_object('sessionId', ${sessionId}::bigint)
    from corrected`);
}
