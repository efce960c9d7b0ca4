/**
 * Tells the trail of desktops whose node no longer answers and from which nobody may take them: they may still
 * run there. Once for each wish, however often it is looked.
 */

import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { executePrepared, prepared } from "../../db/prepared.ts";
import { leases, nodes, vmEvents, vms } from "../../db/schema/index.ts";
import type { NodeId } from "../../domain/ids.ts";

/** Of all boxes that see the same, one tells. */
const TELLING_LOCK = 5_167_003;

/** Nodes silent for longer than `silentMs`. Returns how many desktops were told of. */
export async function reportUnreachable(
  db: Db,
  by: { readonly nodeId: NodeId; readonly silentMs: number },
): Promise<number> {
  const [silent] = await executePrepared<{ some: boolean }>(db, IS_SOMEBODY_SILENT, [by.silentMs]);
  if (silent?.some !== true) return 0;
  const rows = await db.execute(sql`
      with silent as materialized (
        select node_id, renewed_at from ${leases} where (select pg_try_advisory_xact_lock(${TELLING_LOCK}))
          and lost_at is null and not fences
          and valid_until < (select qvd_now() - ${by.silentMs}::float8 * interval '1 millisecond')
      )
      insert into ${vmEvents} (vm_id, node_id, code, text, wish_generation)
      select v.id, ${by.nodeId}::int, 'node-lost',
        'Node ' || n.name || ' does not answer. The desktop can''t be started elsewhere: ' || case
          when n.shared_id is null then 'its home lies on that node alone (no shared storage, QVD_SHARED).'
          else 'it may still run there, because the node has not promised to stop it.' end,
        v.wish_generation
      from silent l join ${nodes} n on n.id = l.node_id join ${vms} v on v.node_id = n.id
      where v.wish = 'running' and v.deleted_at is null
        and exists (select from ${nodes} o where o.id <> n.id)
        and not exists (select from ${vmEvents} e where e.vm_id = v.id
          and e.wish_generation = v.wish_generation and e.code = 'node-lost' and e.at > l.renewed_at)
      returning id`);
  return rows.length;
}

// Every box asks this now and then, and nearly always nobody is.
const IS_SOMEBODY_SILENT = prepared(
  ["float8"],
  sql`select exists (select from ${leases} where lost_at is null and not fences
    and valid_until < (select qvd_now() - $1 * interval '1 millisecond')) as some`,
);
