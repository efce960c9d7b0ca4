/** Desktops that need a node: wished running, or deleted before they had one. */

import { and, asc, eq, gt, or, type SQL, sql } from "drizzle-orm";
import type { PlacementHome, PlacementVm } from "../../domain/node/placement.ts";
import type { Db } from "../client.ts";
import { executePrepared, prepared } from "../prepared.ts";
import { nodes, osfs, vmReports, vms } from "../schema/index.ts";

export type UnplacedVm = PlacementVm & { readonly wishedAt: string };

export type UnplacedOptions = {
  readonly limit?: number;
  /** The last of the portion before. */
  readonly after?: UnplacedVm | undefined;
};

/** In the order of their wishes, at most `limit` (500); `after` brings the rest. */
export async function listUnplacedVms(db: Db, options: UnplacedOptions = {}): Promise<readonly UnplacedVm[]> {
  const { limit = 500, after } = options;
  const wishedAt = sql<string>`coalesce(${vms.wishedAt}, 'infinity')`;
  const rows = await db
    .select({
      vmId: vms.id,
      memoryMb: osfs.memoryMb,
      cpus: osfs.cpus,
      hypervisor: osfs.hypervisor,
      persistence: osfs.persistence,
      wishedAt: sql<string>`${wishedAt}::text`,
      home: { nodeId: nodes.id, nodeName: nodes.name, sharedId: nodes.sharedId },
    })
    .from(vms)
    .innerJoin(osfs, eq(osfs.id, vms.osfId))
    .leftJoin(vmReports, eq(vmReports.vmId, vms.id))
    // Where it ran last, there its data lie.
    .leftJoin(nodes, eq(nodes.id, vmReports.nodeId))
    .where(and(vms.needsNode, after === undefined ? undefined : isAfter(wishedAt, after)))
    .orderBy(asc(wishedAt), asc(vms.id))
    .limit(limit);
  return rows.map(({ persistence, home, ...vm }) => ({ ...vm, home: homeOf(persistence, home) }));
}

/** Every node asks this at each full pass: one look at an index that is nearly always empty. */
export async function hasUnplacedVms(db: Db): Promise<boolean> {
  const [row] = await executePrepared<{ some: boolean }>(db, HAS_SOME, []);
  return row?.some === true;
}

const HAS_SOME = prepared([], sql`select exists (select from ${vms} where needs_node) as some`);

function isAfter(wishedAt: SQL, after: UnplacedVm): SQL | undefined {
  const moment = sql`${after.wishedAt}::timestamptz`;
  return or(gt(wishedAt, moment), and(eq(wishedAt, moment), gt(vms.id, after.vmId)));
}

function homeOf(persistence: string, home: PlacementHome | null): PlacementHome | undefined {
  return home === null || persistence === "nothing" ? undefined : home;
}
