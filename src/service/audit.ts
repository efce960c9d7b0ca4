import { auditLog } from "../db/schema/index.ts";
import type { Action } from "../domain/access/action.ts";
import { formatActor } from "../domain/access/actor.ts";
import type { TenantId } from "../domain/ids.ts";
import type { Context } from "./context.ts";

export type AuditEntry = {
  readonly action: Action;
  readonly tenantId?: TenantId;
  readonly subjectKind: string;
  readonly subjectId?: number;
  /** Copied, so that the entry outlives its subject. */
  readonly subjectName?: string;
  /** What was asked; never a password. */
  readonly detail?: Readonly<Record<string, unknown>>;
};

/** Appends who asked for what; call it inside the change's own transaction. */
export async function recordAudit(inside: Context, entry: AuditEntry): Promise<void> {
  await inside.db.insert(auditLog).values({
    actor: formatActor(inside.actor),
    origin: inside.origin ?? null,
    action: entry.action,
    tenantId: entry.tenantId ?? null,
    subjectKind: entry.subjectKind,
    subjectId: entry.subjectId ?? null,
    subjectName: entry.subjectName ?? null,
    detail: entry.detail ?? null,
  });
}
