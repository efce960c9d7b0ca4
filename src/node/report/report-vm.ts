import type { Db } from "../../db/client.ts";
import type { NodeId } from "../../domain/ids.ts";
import { reportVms, type VmReportWrite } from "./report-vms.ts";

/** One desktop's report and trail; false when this node no longer owns it. */
export async function reportVm(
  db: Db,
  write: VmReportWrite,
  by: { readonly nodeId: NodeId; readonly nowMs: number },
): Promise<boolean> {
  return (await reportVms(db, [write], by)).has(write.vmId);
}
