/** Desktops as administrators see them: intent and truth side by side. Those being deleted count as gone. */

import { and, asc, desc, eq, inArray, isNotNull, isNull, or, type SQL, sql } from "drizzle-orm";
import { hidePaths } from "../../domain/access/hide-paths.ts";
import type { NodeId, OsfId, TenantId, UserId, VmId } from "../../domain/ids.ts";
import type { VmState } from "../../domain/vm/state.ts";
import type { Db } from "../client.ts";
import { dis, nodes, osfs, sessions, tenants, users, vmReports, vms } from "../schema/index.ts";
import { contains, type Page, type PageRequest, pageBounds, pageOf } from "./page.ts";

export type DesktopFilter = {
  /** Undefined means every tenant. Who asks for one is not told where files lie on boxes. */
  readonly tenantId?: TenantId | undefined;
  /** Part of the name, the user's login or the address, or an id. */
  readonly search?: string | undefined;
  readonly states?: readonly VmState[] | undefined;
  readonly userId?: UserId | undefined;
  readonly osfId?: OsfId | undefined;
  readonly nodeId?: NodeId | undefined;
  /** Only those with a fault. */
  readonly isFaulty?: boolean;
};

export const DESKTOP_SORTS = ["name", "user", "state", "node"] as const;
export type DesktopSort = {
  readonly by: (typeof DESKTOP_SORTS)[number];
  readonly isDescending?: boolean;
};

export type DesktopRow = Awaited<ReturnType<typeof selectDesktops>>[number];

export async function listDesktops(
  db: Db,
  filter: DesktopFilter,
  request: PageRequest & { readonly sort?: DesktopSort },
): Promise<Page<DesktopRow>> {
  const where = matching(filter);
  const { limit, offset } = pageBounds(request);
  const items = await selectDesktops(db, where)
    .orderBy(...orderOf(request.sort))
    .limit(limit)
    .offset(offset);
  const [counted] = await db
    .select({ total: sql<number>`count(*)::int` })
    .from(vms)
    .innerJoin(users, eq(users.id, vms.userId))
    .leftJoin(vmReports, eq(vmReports.vmId, vms.id))
    .where(where);
  const told = items.map((row) => toldOf(row, filter.tenantId));
  return pageOf(request, told, counted?.total ?? 0);
}

/** All that match, in the order of their ids: a site has at most some ten thousands. */
export async function listDesktopIds(db: Db, filter: DesktopFilter): Promise<readonly VmId[]> {
  const rows = await db
    .select({ id: vms.id })
    .from(vms)
    .innerJoin(users, eq(users.id, vms.userId))
    .leftJoin(vmReports, eq(vmReports.vmId, vms.id))
    .where(matching(filter))
    .orderBy(asc(vms.id));
  return rows.map(({ id }) => id);
}

/** Undefined when there is none, or none in `tenantId`. */
export async function readDesktop(db: Db, vmId: VmId, tenantId?: TenantId): Promise<DesktopRow | undefined> {
  const [row] = await selectDesktops(db, and(matching({ tenantId }), eq(vms.id, vmId)));
  return row && toldOf(row, tenantId);
}

function toldOf(row: DesktopRow, tenantId: TenantId | undefined): DesktopRow {
  if (tenantId === undefined) return row;
  const { fault, blockedReason } = row;
  // A node that blocks a desktop gives the fault as its reason.
  return {
    ...row,
    fault: fault && hidePaths(fault),
    blockedReason: blockedReason && hidePaths(blockedReason),
  };
}

/** No report yet means that no node ever ran it. */
const state = sql<VmState>`coalesce(${vmReports.state}, 'stopped')`;

/** Ends with name and id, so that pages neither overlap nor leave one out. */
function orderOf(sort: DesktopSort = { by: "name" }): SQL[] {
  const columns = { name: vms.name, user: users.login, state, node: nodes.name } as const;
  const direction = sort.isDescending ? desc : asc;
  return [direction(columns[sort.by]), asc(vms.name), asc(vms.id)];
}

function selectDesktops(db: Db, where: SQL | undefined) {
  const isLive = and(eq(sessions.vmId, vms.id), isNull(sessions.endedAt), isNull(sessions.supersededAt));
  return db
    .select({
      id: vms.id,
      name: vms.name,
      tenantId: vms.tenantId,
      tenant: tenants.name,
      userId: vms.userId,
      user: users.login,
      userFullName: users.fullName,
      osfId: vms.osfId,
      osf: osfs.name,
      memoryMb: osfs.memoryMb,
      cpus: osfs.cpus,
      hypervisor: osfs.hypervisor,
      /** How its node runs machines: `kvm` or emulated, `tcg`; null where it hasn't said. */
      machines: sql<
        string | null
      >`(select r.facts ->> 'machines' from node_reports r where r.node_id = ${vms.nodeId})`,
      tag: vms.diTag,
      address: vms.address,
      isBlocked: vms.isBlocked,
      blockedReason: vms.blockedReason,
      createdAt: vms.createdAt,
      wish: vms.wish,
      generation: vms.wishGeneration,
      wishedAt: vms.wishedAt,
      wishedBy: vms.wishedBy,
      state,
      stateAt: vmReports.stateAt,
      generationSeen: vmReports.generationSeen,
      tries: vmReports.tries,
      nextTryAt: vmReports.nextTryAt,
      hasAgent: sql<boolean>`coalesce(${vmReports.hasAgent}, false)`,
      xState: sql<string>`coalesce(${vmReports.xState}, 'none')`,
      faultCode: vmReports.faultCode,
      fault: vmReports.faultText,
      queuePosition: vmReports.queuePosition,
      reportedAt: vmReports.reportedAt,
      /** Version of the image that it runs, or ran last. */
      runningDiId: vmReports.diId,
      runningVersion: dis.version,
      nodeId: vms.nodeId,
      node: nodes.name,
      sessionId: sessions.id,
      sessionState: sessions.state,
      connectedAt: sessions.connectedAt,
      isConnected: sql<boolean>`${sessions.connectedAt} is not null`,
      clientAddress: sessions.clientAddress,
    })
    .from(vms)
    .innerJoin(users, eq(users.id, vms.userId))
    .innerJoin(tenants, eq(tenants.id, vms.tenantId))
    .innerJoin(osfs, eq(osfs.id, vms.osfId))
    .leftJoin(vmReports, eq(vmReports.vmId, vms.id))
    .leftJoin(dis, eq(dis.id, vmReports.diId))
    .leftJoin(nodes, eq(nodes.id, vms.nodeId))
    .leftJoin(sessions, isLive)
    .where(where);
}

function matching(filter: DesktopFilter): SQL | undefined {
  const search = filter.search?.trim() ?? "";
  return and(
    isNull(vms.deletedAt),
    filter.tenantId === undefined ? undefined : eq(vms.tenantId, filter.tenantId),
    filter.userId === undefined ? undefined : eq(vms.userId, filter.userId),
    filter.osfId === undefined ? undefined : eq(vms.osfId, filter.osfId),
    filter.nodeId === undefined ? undefined : eq(vms.nodeId, filter.nodeId),
    filter.isFaulty ? isNotNull(vmReports.faultText) : undefined,
    filter.states === undefined || filter.states.length === 0
      ? undefined
      : inArray(state, [...filter.states]),
    search === ""
      ? undefined
      : or(
          contains(vms.name, search),
          contains(users.login, search),
          contains(sql`host(${vms.address})`, search),
          sql`${vms.id}::text = ${search}`,
        ),
  );
}
