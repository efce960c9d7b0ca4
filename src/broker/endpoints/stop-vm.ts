/** Stops a desktop of the person who asks, and says so when it is down. Clients use it for "restart session". */

import type { VmId } from "../../domain/ids.ts";
import type { Answer } from "../../wire/client/answer.ts";
import { checkBlocked, NOT_REGISTERED } from "../check-node.ts";
import { checkBound, NO_SUCH_VM, readVmId, VM_NOT_ALLOWED } from "../read-vm-id.ts";
import { type BrokerRequest, type Endpoint, type EndpointDeps, reply } from "../request.ts";

const STOPPED: Answer = { status: 200, body: "Machine stopped\r\n" };

export const stopVm: Endpoint = async (deps, request) => {
  const node = await deps.store.readNode();
  if (node === undefined) return reply(NOT_REGISTERED);
  const identity = await request.authenticate();
  if ("status" in identity) return reply(identity);
  const blocked = checkBlocked(node);
  if (blocked !== undefined) return reply(blocked);
  const vmId = readVmId(request.head);
  if (typeof vmId === "object") return reply(vmId);
  const bound = checkBound(identity, vmId);
  if (bound !== undefined) return reply(bound);
  const desktop = await deps.store.readDesktop(vmId);
  if (desktop === undefined) return reply(NO_SUCH_VM);
  if (desktop.userId !== identity.actor.userId) return reply({ status: 403, body: VM_NOT_ALLOWED });
  if (desktop.state === "stopped" && desktop.wish === "stopped") return reply(STOPPED);
  request.tell("Stopping virtual machine");
  await deps.store.wishStopped({ actor: identity.actor, origin: request.clientAddress }, vmId);
  deps.wake(vmId);
  return reply(await waitUntilStopped(deps, request, vmId));
};

/** A desktop that hangs is killed by its node, so unlike the original's there is no unstoppable state. */
async function waitUntilStopped(
  { store, wakes, limits }: EndpointDeps,
  request: BrokerRequest,
  vmId: VmId,
): Promise<Answer> {
  const alarm = wakes.subscribe(vmId);
  const endMs = performance.now() + limits.stopMs;
  try {
    for (let toldMs = 0; !request.signal.aborted; ) {
      const desktop = await store.readDesktop(vmId);
      if (desktop === undefined || desktop.state === "stopped") return STOPPED;
      const nowMs = performance.now();
      if (nowMs >= endMs) return { status: 408, body: "VM didn't reach state 'stopped'. Timeout" };
      if (nowMs - toldMs >= limits.pollMs) {
        request.tell("Waiting for VM to reach state 'stopped'");
        toldMs = nowMs;
      }
      await alarm.next(Math.min(limits.pollMs, endMs - nowMs), request.signal);
    }
    return { status: 503, body: "The client left." };
  } finally {
    alarm.close();
  }
}
