import type { Action } from "../../domain/access/action.ts";
import { recordAudit } from "../audit.ts";
import type { Context } from "../context.ts";
import type { FoundVm } from "./find.ts";

/** The audit row of a change to a desktop. */
export function auditVm(
  inside: Context,
  action: Action,
  about: {
    readonly vm: Pick<FoundVm, "id" | "tenantId" | "name">;
    readonly detail?: Record<string, unknown>;
  },
): Promise<void> {
  return recordAudit(inside, {
    action,
    tenantId: about.vm.tenantId,
    subjectKind: "vm",
    subjectId: about.vm.id,
    subjectName: about.vm.name,
    ...(about.detail === undefined ? {} : { detail: about.detail }),
  });
}
