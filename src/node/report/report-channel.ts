import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { vmEvents, vms } from "../../db/schema/index.ts";
import type { NodeId, VmId } from "../../domain/ids.ts";

/** Tells the trail that a session does without a channel; nothing where the desktop is no longer this node's. */
export async function reportChannelFailure(
  db: Db,
  nodeId: NodeId,
  failure: { readonly vmId: VmId; readonly channel: string; readonly text: string },
): Promise<void> {
  const { vmId, channel } = failure;
  const text = `The session has no ${channel}: ${failure.text}.`;
  await db.execute(sql`
    insert into ${vmEvents} (vm_id, node_id, code, text, wish_generation, detail)
    select id, ${nodeId}::int, 'channel-failed', ${text}, wish_generation, jsonb_build_object('channel', ${channel}::text)
    from ${vms} where id = ${vmId} and node_id = ${nodeId}`);
}
