/** Who asked for what. */

import { and, desc, eq, gte, lt, sql } from "drizzle-orm";
import type { TenantId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { auditLog } from "../schema/index.ts";

export type AuditFilter = {
  readonly tenantId?: TenantId | undefined;
  /** Of that kind; with `id` or `name` that one. */
  readonly subject?:
    | { readonly kind: string; readonly id?: number | undefined; readonly name?: string | undefined }
    | undefined;
  /** A part of who asked. */
  readonly actor?: string | undefined;
  /** How the action begins: `vm.` is all that was asked of desktops. */
  readonly action?: string | undefined;
  /** A part of who asked, of what, or of its subject's name. */
  readonly search?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  /** Goes on from the last row of the page before. */
  readonly beforeId?: number | undefined;
  readonly limit: number;
};

export type AuditRow = typeof auditLog.$inferSelect;

/** Newest first. */
export async function listAudit(db: Db, filter: AuditFilter): Promise<readonly AuditRow[]> {
  const { tenantId, subject, beforeId, actor, action, search, since, until } = filter;
  return await db
    .select()
    .from(auditLog)
    .where(
      and(
        tenantId === undefined ? undefined : eq(auditLog.tenantId, tenantId),
        subject === undefined ? undefined : eq(auditLog.subjectKind, subject.kind),
        subject?.id === undefined ? undefined : eq(auditLog.subjectId, subject.id),
        subject?.name === undefined ? undefined : eq(auditLog.subjectName, subject.name),
        actor === undefined ? undefined : sql`strpos(${auditLog.actor}, ${actor}) > 0`,
        action === undefined ? undefined : sql`starts_with(${auditLog.action}, ${action})`,
        search === undefined || search === ""
          ? undefined
          : sql`strpos(lower(concat_ws(' ', ${auditLog.actor}, ${auditLog.action}, ${auditLog.subjectName})), lower(${search})) > 0`,
        since === undefined ? undefined : gte(auditLog.at, since),
        until === undefined ? undefined : lt(auditLog.at, until),
        beforeId === undefined ? undefined : lt(auditLog.id, beforeId),
      ),
    )
    .orderBy(desc(auditLog.id))
    .limit(Math.min(filter.limit, 500));
}
