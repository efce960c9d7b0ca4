/** Nodes as placement sees them: what they have, and what they have promised already. */

import { sql } from "drizzle-orm";
import type { PlacementNode } from "../../domain/node/placement.ts";
import type { Db } from "../client.ts";
import { leases, nodeReports, nodes, osfs, vmReports, vms } from "../schema/index.ts";

export async function listPlacementNodes(db: Db): Promise<readonly PlacementNode[]> {
  const rows = await db.execute<PlacementNode & Record<string, unknown>>(sql`
    select n.id as "nodeId", n.name, n.is_blocked as "isBlocked", n.drain, n.shared_id as "sharedId", n.weight,
      coalesce(l.valid_until > qvd_now() and r.state = 'running', false) as "isUp",
      coalesce(l.valid_until <= qvd_now() and r.state <> 'stopped', false) as "isLost",
      coalesce((r.facts->>'memoryMb')::float8, 0) as "memoryMb", coalesce((r.facts->>'cpus')::float8, 0) as cpus,
      (r.facts->>'memoryFreeMb')::float8 as "memoryFreeMb", (r.facts->>'bogomips')::float8 as bogomips,
      r.facts->'hypervisors' as hypervisors,
      coalesce(p.memory_mb, 0)::float8 as "promisedMemoryMb", coalesce(p.cpus, 0)::float8 as "promisedCpus",
      coalesce(p.desktops, 0)::int as desktops
    from ${nodes} n
    left join ${leases} l on l.node_id = n.id
    left join ${nodeReports} r on r.node_id = n.id
    left join (
      select v.node_id, sum(o.memory_mb) as memory_mb, sum(o.cpus) as cpus, count(*) as desktops
      from ${vms} v join ${osfs} o on o.id = v.osf_id
      where v.node_id is not null and (v.wish = 'running'
        or exists (select from ${vmReports} s where s.vm_id = v.id and s.state <> 'stopped'))
      group by v.node_id
    ) p on p.node_id = n.id
    order by n.id`);
  return rows.map((row) => ({
    nodeId: row.nodeId,
    name: row.name,
    isBlocked: row.isBlocked,
    isUp: row.isUp,
    isLost: row.isLost === true,
    drain: row.drain ?? null,
    sharedId: row.sharedId ?? null,
    weight: row.weight ?? 1,
    hypervisors: Array.isArray(row.hypervisors) ? row.hypervisors.map(String) : undefined,
    memoryMb: row.memoryMb,
    memoryFreeMb: row.memoryFreeMb ?? undefined,
    cpus: row.cpus,
    bogomips: row.bogomips ?? undefined,
    desktops: row.desktops ?? 0,
    promisedMemoryMb: row.promisedMemoryMb,
    promisedCpus: row.promisedCpus,
  }));
}
