import { parseId, type VmId } from "../domain/ids.ts";
import type { Answer } from "../wire/client/answer.ts";
import type { RequestHead } from "../wire/client/request-head.ts";
import type { Identity } from "./authenticate.ts";

/** The desktop that a request is about, or what to answer to one that names none. */
export function readVmId(head: RequestHead): VmId | Answer {
  const text = head.query.get("id");
  if (text === undefined) return { status: 422, body: "parameter id is missing" };
  return parseId<VmId>(text) ?? { status: 422, body: "parameter id is not the number of a virtual machine" };
}

/** A token that was made for one desktop opens no other. */
export function checkBound({ boundTo }: Identity, vmId: VmId): Answer | undefined {
  if (boundTo === undefined || boundTo === vmId) return undefined;
  return { status: 403, body: "vm_id does not match with provided token" };
}

export const NO_SUCH_VM: Answer = { status: 404, body: "The requested virtual machine does not exist" };
export const VM_NOT_ALLOWED = "You are not allowed to access requested virtual machine";
