/** The figures of the first page. */

import { type SQL, sql } from "drizzle-orm";
import type { TenantId } from "../../domain/ids.ts";
import { VM_STATES, type VmState } from "../../domain/vm/state.ts";
import type { Db } from "../client.ts";
import { dis, osfs, sessions, users, vmReports, vms } from "../schema/index.ts";

export type Overview = {
  readonly desktops: number;
  readonly desktopsByState: Readonly<Record<VmState, number>>;
  readonly blockedDesktops: number;
  /** Desktops that tell of a fault. */
  readonly faultyDesktops: number;
  readonly users: number;
  readonly blockedUsers: number;
  readonly images: number;
  readonly failedImages: number;
  /** Sittings asked for and not ended; `connected` of them carry bytes. */
  readonly liveSessions: number;
  readonly connectedSessions: number;
};

/** Of one tenant, or of all. */
export async function readOverview(db: Db, tenantId?: TenantId): Promise<Overview> {
  const of = (column: SQL) => (tenantId === undefined ? sql`true` : sql`${column} = ${tenantId}`);
  const byState = await db.execute<{ state: VmState; count: number; blocked: number; faulty: number }>(sql`
    select coalesce(${vmReports.state}, 'stopped') state, count(*)::int count,
      count(*) filter (where ${vms.isBlocked})::int blocked,
      count(*) filter (where ${vmReports.faultCode} is not null)::int faulty
    from ${vms} left join ${vmReports} on ${vmReports.vmId} = ${vms.id}
    where ${vms.deletedAt} is null and ${of(sql`${vms.tenantId}`)} group by 1`);
  const [rest] = await db.execute<Omit<Overview, "desktops" | "desktopsByState">>(sql`
    select
      (select count(*)::int from ${users} where ${of(sql`${users.tenantId}`)}) "users",
      (select count(*)::int from ${users} where ${users.isBlocked} and ${of(sql`${users.tenantId}`)}) "blockedUsers",
      (select count(*)::int from ${dis} join ${osfs} on ${osfs.id} = ${dis.osfId}
        where ${of(sql`${osfs.tenantId}`)}) "images",
      (select count(*)::int from ${dis} join ${osfs} on ${osfs.id} = ${dis.osfId}
        where ${dis.state} = 'failed' and ${of(sql`${osfs.tenantId}`)}) "failedImages",
      live.count "liveSessions", live.connected "connectedSessions"
    from (select count(*)::int count, count(${sessions.connectedAt})::int connected
      from ${sessions} join ${vms} on ${vms.id} = ${sessions.vmId}
      where ${sessions.endedAt} is null and ${sessions.supersededAt} is null and ${of(sql`${vms.tenantId}`)}) live`);
  const total = (pick: (row: (typeof byState)[number]) => number) =>
    byState.reduce((sum, row) => sum + pick(row), 0);
  return {
    desktops: total((row) => row.count),
    desktopsByState: countStates(byState),
    blockedDesktops: total((row) => row.blocked),
    faultyDesktops: total((row) => row.faulty),
    users: rest?.users ?? 0,
    blockedUsers: rest?.blockedUsers ?? 0,
    images: rest?.images ?? 0,
    failedImages: rest?.failedImages ?? 0,
    liveSessions: rest?.liveSessions ?? 0,
    connectedSessions: rest?.connectedSessions ?? 0,
  };
}

function countStates(rows: readonly { state: VmState; count: number }[]): Record<VmState, number> {
  const counts = new Map(rows.map((row) => [row.state, row.count]));
  const entries = VM_STATES.map((state) => [state, counts.get(state) ?? 0] as const);
  return Object.fromEntries(entries) as Record<VmState, number>;
}
