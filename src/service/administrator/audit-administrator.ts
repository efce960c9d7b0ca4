import type { Action } from "../../domain/access/action.ts";
import { recordAudit } from "../audit.ts";
import type { Context } from "../context.ts";
import type { FoundAdministrator } from "./find.ts";

/** The audit row of a change to an administrator. */
export function auditAdministrator(
  inside: Context,
  action: Action,
  { id, tenantId, login }: Pick<FoundAdministrator, "id" | "tenantId" | "login">,
): Promise<void> {
  return recordAudit(inside, {
    action,
    tenantId,
    subjectKind: "administrator",
    subjectId: id,
    subjectName: login,
  });
}
