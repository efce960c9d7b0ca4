/**
 * A session at a desktop: checks in the original's order, all before any effect; then the session's request
 * and the wait. Every final answer but the 101 closes the connection: the C client reads on after an error,
 * and Qt starts its NX side whatever the answer was.
 */

import type { VmId } from "../../domain/ids.ts";
import { chooseClientParameters } from "../../domain/session/client-parameters.ts";
import type { Answer } from "../../wire/client/answer.ts";
import type { RequestHead } from "../../wire/client/request-head.ts";
import type { Identity } from "../authenticate.ts";
import { checkBlocked, NOT_REGISTERED } from "../check-node.ts";
import { notAvailable } from "../not-available.ts";
import { checkBound, NO_SUCH_VM, readVmId, VM_NOT_ALLOWED } from "../read-vm-id.ts";
import { type Endpoint, replyAndClose } from "../request.ts";
import { requestSession } from "../request-session.ts";
import type { BrokerStore } from "../store.ts";
import { tellFew } from "../tell-few.ts";

export const connectToVm: Endpoint = async (deps, request) => {
  const node = await deps.store.readNode();
  if (node === undefined) return replyAndClose(NOT_REGISTERED);
  const identity = await request.authenticate();
  if ("status" in identity) return replyAndClose(identity);
  const vmId = checkHead(request.head);
  const refusal = checkBlocked(node) ?? (typeof vmId === "object" ? vmId : undefined);
  if (refusal !== undefined || typeof vmId === "object") return replyAndClose(refusal ?? { status: 422 });
  const denial = checkBound(identity, vmId) ?? (await checkDesktop(deps.store, vmId, identity));
  if (denial !== undefined) return replyAndClose(denial);
  const result = await requestSession(deps, {
    asker: { actor: identity.actor, origin: request.clientAddress },
    vmId,
    parameters: identity.parameters,
    client: chooseClientParameters(request.head.query),
    // The C library names itself to the list only.
    tell: request.head.headers.has("user-agent") ? request.tell : tellFew(request.tell),
    signal: request.signal,
  });
  if (result.kind === "refused") return replyAndClose(notAvailable(result.reason));
  return { kind: "upgrade", session: result.session };
};

/** What can be told from the request alone; the desktop's id when it is in order. */
function checkHead(head: RequestHead): VmId | Answer {
  if (head.headers.get("connection") !== "Upgrade" || head.headers.get("upgrade") !== "QVD/1.0")
    return { status: 426 };
  const vmId = readVmId(head);
  if (typeof vmId === "object") return vmId;
  const strange = [...head.query.keys()].filter((name) => !/^(id$|qvd\.client\.|custom\.)/.test(name));
  if (strange.length === 0) return vmId;
  return { status: 403, body: `Invalid parameters ${strange.join(", ").slice(0, 200)}` };
}

async function checkDesktop(
  store: BrokerStore,
  vmId: VmId,
  { actor }: Identity,
): Promise<Answer | undefined> {
  const desktop = await store.readDesktop(vmId);
  if (desktop === undefined) return NO_SUCH_VM;
  // A foreign desktop's maintenance is nobody's business.
  if (desktop.userId !== actor.userId) return notAvailable(VM_NOT_ALLOWED);
  if (!desktop.isBlocked) return undefined;
  return { status: 403, body: "The requested virtual machine is offline for maintenance" };
}
