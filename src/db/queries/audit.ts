/** Who asked for what. */

import { and, desc, eq, lt } from "drizzle-orm";
import type { TenantId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { auditLog } from "../schema/index.ts";

export type AuditFilter = {
  readonly tenantId?: TenantId | undefined;
  readonly subject?: { readonly kind: string; readonly id: number } | undefined;
  /** Goes on from the last row of the page before. */
  readonly beforeId?: number | undefined;
  readonly limit: number;
};

export type AuditRow = typeof auditLog.$inferSelect;

/** Newest first. */
export async function listAudit(db: Db, filter: AuditFilter): Promise<readonly AuditRow[]> {
  const { tenantId, subject, beforeId } = filter;
  return await db
    .select()
    .from(auditLog)
    .where(
      and(
        tenantId === undefined ? undefined : eq(auditLog.tenantId, tenantId),
        subject === undefined
          ? undefined
          : and(eq(auditLog.subjectKind, subject.kind), eq(auditLog.subjectId, subject.id)),
        beforeId === undefined ? undefined : lt(auditLog.id, beforeId),
      ),
    )
    .orderBy(desc(auditLog.id))
    .limit(Math.min(filter.limit, 500));
}
