import { describeEndCause } from "../../domain/session/end-cause.ts";
import { isLeftForGood } from "../../domain/session/is-left-for-good.ts";
import { formatJson } from "../../wire/client/json.ts";
import { checkBound, readVmId } from "../read-vm-id.ts";
import { type Endpoint, reply } from "../request.ts";

/**
 * Not of QVD 4: a client whose connection closed asks whether its session is over. A broker that is killed closes its sockets as
 * one does whose session has ended. The session is named by its desktop and by the key that its client was given.
 */
export const sessionState: Endpoint = async ({ store }, request) => {
  const identity = await request.authenticate();
  if ("status" in identity) return reply(identity);
  const vmId = readVmId(request.head);
  if (typeof vmId === "object") return reply(vmId);
  const bound = checkBound(identity, vmId);
  if (bound !== undefined) return reply(bound);
  const slaveKey = request.head.headers.get("x-qvd-slave-key") ?? "";
  const session = await store.readEnd({ vmId, userId: identity.actor.userId, slaveKey });
  if (session === undefined) return reply({ status: 404, body: "There is no such session" });
  const { cause } = session;
  const isOver = cause !== undefined && isLeftForGood(cause);
  const body = formatJson({
    state: isOver ? "over" : "open",
    ...(cause === undefined ? {} : { cause, text: describeEndCause(cause) }),
  });
  return reply({ status: 200, type: "application/json", body });
};
