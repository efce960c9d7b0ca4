/** OS flavours as administrators see them. */

import { and, asc, eq, type SQL, sql } from "drizzle-orm";
import type { OsfId, TenantId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { dis, diTags, osfs, tenants, vms } from "../schema/index.ts";

export type OsfRow = Awaited<ReturnType<typeof selectOsfs>>[number];

/** At most 1000, by name: a site has few. */
export function listOsfs(db: Db, filter: { readonly tenantId?: TenantId | undefined } = {}) {
  const where = filter.tenantId === undefined ? undefined : eq(osfs.tenantId, filter.tenantId);
  return selectOsfs(db, where).orderBy(asc(osfs.name), asc(osfs.id)).limit(1000);
}

export async function readOsf(db: Db, osfId: OsfId, tenantId?: TenantId): Promise<OsfRow | undefined> {
  const inTenant = tenantId === undefined ? undefined : eq(osfs.tenantId, tenantId);
  const [row] = await selectOsfs(db, and(eq(osfs.id, osfId), inTenant));
  return row;
}

function selectOsfs(db: Db, where: SQL | undefined) {
  return db
    .select({
      id: osfs.id,
      tenantId: osfs.tenantId,
      tenant: tenants.name,
      name: osfs.name,
      memoryMb: osfs.memoryMb,
      cpus: osfs.cpus,
      createdAt: osfs.createdAt,
      hypervisor: osfs.hypervisor,
      persistence: osfs.persistence,
      keptFolders: osfs.keptFolders,
      homeMb: osfs.homeMb,
      systemMb: osfs.systemMb,
      idleStopSeconds: osfs.idleStopSeconds,
      onCrash: osfs.onCrash,
      allowsNeighbours: osfs.allowsNeighbours,
      hasAgent: osfs.hasAgent,
      offersConsole: osfs.offersConsole,
      expirySoftSeconds: osfs.expirySoftSeconds,
      expiryHardSeconds: osfs.expiryHardSeconds,
      isApplication: osfs.isApplication,
      program: osfs.program,
      images: sql<number>`(select count(*)::int from ${dis} where ${dis.osfId} = ${osfs.id})`,
      desktops: sql<number>`(select count(*)::int from ${vms} where ${vms.osfId} = ${osfs.id} and ${vms.deletedAt} is null)`,
      tags: sql<
        string[]
      >`array(select ${diTags.tag} from ${diTags} where ${diTags.osfId} = ${osfs.id} order by 1)`,
    })
    .from(osfs)
    .innerJoin(tenants, eq(tenants.id, osfs.tenantId))
    .where(where);
}
