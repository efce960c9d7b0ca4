/** Properties of one thing, and those of a desktop merged of all it hangs on. */

import { asc, eq, type SQL, sql } from "drizzle-orm";
import type { NodeId, VmId } from "../../domain/ids.ts";
import {
  mergeProperties,
  type Properties,
  type PropertyKind,
  type SourcedProperty,
} from "../../domain/property/merge.ts";
import type { Db } from "../client.ts";
import { diTags, properties, vms } from "../schema/index.ts";

const COLUMNS = {
  user: properties.userId,
  vm: properties.vmId,
  node: properties.nodeId,
  osf: properties.osfId,
  image: properties.diId,
} as const satisfies Record<PropertyKind, unknown>;

/** By key. */
export async function listProperties(db: Db, kind: PropertyKind, id: number): Promise<Properties> {
  const rows = await db
    .select({ key: properties.key, value: properties.value })
    .from(properties)
    .where(ofThing(kind, id))
    .orderBy(asc(properties.key));
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
}

export function ofThing(kind: PropertyKind, id: number): SQL {
  // The columns differ in the brands of their ids alone.
  return eq(COLUMNS[kind] as typeof properties.userId, id as never);
}

/** What the hooks of a desktop get, by key: those of the image are of the one that its tag names now. */
export async function listVmProperties(db: Db, vmId: VmId): Promise<readonly SourcedProperty[]> {
  const rows = await db.execute<SourcedProperty>(selectVmProperties(sql`${vmId}`));
  return mergeProperties(rows.map(({ from, key, value }) => ({ from, key, value })));
}

/** All that a desktop hangs on has, in the order of their keys: rows of `SourcedProperty`. */
export function selectVmProperties(vmId: SQL): SQL {
  return sql`
    select case when p.osf_id is not null then 'osf' when p.di_id is not null then 'image'
        when p.user_id is not null then 'user' else 'vm' end as from, p.key, p.value
    from ${vms} v left join ${diTags} t on t.osf_id = v.osf_id and t.tag = v.di_tag
    join ${properties} p on p.osf_id = v.osf_id or p.di_id = t.di_id or p.user_id = v.user_id or p.vm_id = v.id
    where v.id = ${vmId} order by p.key`;
}

export async function readVmProperties(db: Db, vmId: VmId): Promise<Properties> {
  const merged = await listVmProperties(db, vmId);
  return Object.fromEntries(merged.map(({ key, value }) => [key, value]));
}

export function readNodeProperties(db: Db, nodeId: NodeId): Promise<Properties> {
  return listProperties(db, "node", nodeId);
}
