/** A site of many desktops and nodes, laid down by SQL: making them one by one is not what is measured. */

import { sql } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";
import type { NodeId, VmId } from "../../src/domain/ids.ts";

export type ScaleSite = { readonly nodeIds: readonly NodeId[]; readonly vmIds: readonly VmId[] };

export async function seedSite(
  owner: Db,
  size: { readonly desktops: number; readonly nodes: number },
): Promise<ScaleSite> {
  const { desktops, nodes } = size;
  await owner.execute(sql`insert into tenants (name) values ('acme')`);
  await owner.execute(sql`insert into users (tenant_id, login)
    select 1, 'user' || n from generate_series(1, ${desktops}::int) n`);
  await owner.execute(sql`insert into osfs (tenant_id, name, memory_mb) values (1, 'desk', 512)`);
  await owner.execute(
    sql`insert into dis (osf_id, version, file_name, state) values (1, '1', 'desk.tar', 'ready')`,
  );
  await owner.execute(sql`insert into di_tags (osf_id, tag, di_id) values (1, 'default', 1)`);
  await owner.execute(sql`insert into nodes (name, box_id)
    select 'node' || n, 'box-number-' || n from generate_series(1, ${nodes}::int) n`);
  await owner.execute(sql`insert into vms (tenant_id, user_id, osf_id, name, address, id_slot)
    select 1, n, 1, 'desktop' || n, '10.64.0.0'::inet + n, n from generate_series(1, ${desktops}::int) n`);
  await owner.execute(sql`analyze`);
  const ids = async <Id>(table: "nodes" | "vms") =>
    (await owner.execute<{ id: number }>(sql`select id from ${sql.identifier(table)} order by id`)).map(
      (row) => row.id as Id,
    );
  return { nodeIds: await ids<NodeId>("nodes"), vmIds: await ids<VmId>("vms") };
}
