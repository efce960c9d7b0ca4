import { and, eq, isNull } from "drizzle-orm";
import { vms } from "../../db/schema/index.ts";
import type { Action } from "../../domain/access/action.ts";
import type { VmId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { authorize } from "../authorize.ts";
import type { Context } from "../context.ts";

export type FoundVm = typeof vms.$inferSelect;

/** In the words of QVD, which clients show. */
export function noSuchVm(): AppError {
  return new AppError("not-found", "The requested virtual machine does not exist");
}

/**
 * The desktop, its row locked until the transaction ends, after the actor's right was checked. One that is
 * being deleted counts as gone.
 */
export async function findVmFor(inside: Context, action: Action, vmId: VmId): Promise<FoundVm> {
  const [vm] = await inside.db
    .select()
    .from(vms)
    .where(and(eq(vms.id, vmId), isNull(vms.deletedAt)))
    .for("update");
  if (vm === undefined) throw noSuchVm();
  authorize(inside, action, {
    what: `desktop ${vmId}`,
    tenantId: vm.tenantId,
    ownerId: vm.userId,
    vmId: vm.id,
  });
  return vm;
}
