import { checkBlocked, checkLeaving, checkState, NOT_REGISTERED } from "../check-node.ts";
import { type Endpoint, reply } from "../request.ts";

/** Whether this box takes clients; nobody has to prove anything for it. */
export const ping: Endpoint = async ({ store, leaving }) => {
  leaving?.notePing(performance.now());
  const node = await store.readNode();
  if (node === undefined) return reply(NOT_REGISTERED);
  const refusal = checkState(node) ?? checkBlocked(node) ?? checkLeaving(node, leaving);
  return reply(refusal ?? { status: 200, body: "I am alive!\r\n" });
};
