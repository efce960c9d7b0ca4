/** The protocol's texts for a client that waits (`X-QVD-VM-Info`), from what the trail says happens. */

import type { VmId } from "../ids.ts";
import type { VmEventCode } from "../vm/event.ts";

/** Source: section 1.6 of the protocol as traced from the original servers; wording is the interface. */
export function progressText(code: VmEventCode, vmId: VmId): string | undefined {
  switch (code) {
    case "session-requested":
      return `Session acquired for VM_ID: ${vmId}`;
    case "start-taken":
      return "Starting virtual machine";
    case "session-preparing":
      return `Starting X session at VM ${vmId}`;
    case "session-listening":
      return `Connecting X session for VM_ID: ${vmId}`;
    default:
      return undefined;
  }
}
