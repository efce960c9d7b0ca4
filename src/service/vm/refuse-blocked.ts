import { AppError } from "../../lib/errors.ts";
import type { FoundVm } from "./find.ts";

/** Throws `blocked`, in the words of QVD that clients show. */
export function refuseBlocked(vm: Pick<FoundVm, "isBlocked">): void {
  if (vm.isBlocked) throw new AppError("blocked", "The requested virtual machine is offline for maintenance");
}
