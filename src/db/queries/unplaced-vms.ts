/** Desktops that need a node: wished running, or deleted before they had one. */

import { and, asc, eq, isNotNull, isNull, or } from "drizzle-orm";
import type { VmId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { osfs, vms } from "../schema/index.ts";

export type UnplacedVm = { readonly vmId: VmId; readonly memoryMb: number; readonly cpus: number };

/** In the order of their wishes, at most 500; the next call brings the rest. */
export async function listUnplacedVms(db: Db): Promise<readonly UnplacedVm[]> {
  return await db
    .select({ vmId: vms.id, memoryMb: osfs.memoryMb, cpus: osfs.cpus })
    .from(vms)
    .innerJoin(osfs, eq(osfs.id, vms.osfId))
    .where(and(isNull(vms.nodeId), or(eq(vms.wish, "running"), isNotNull(vms.deletedAt))))
    .orderBy(asc(vms.wishedAt), asc(vms.id))
    .limit(500);
}
