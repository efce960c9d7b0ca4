import type { Answer } from "../wire/client/answer.ts";
import type { Leaving } from "./leaving.ts";
import type { NodeView } from "./store.ts";

export const NOT_REGISTERED: Answer = { status: 503, body: "Host is not registered in the database" };
const DRAINING: Answer = { status: 503, body: "Server is draining" };
const BLOCKED: Answer = { status: 503, body: "Server is blocked" };

/** Why this box can't serve now, in the original's words and order; undefined when it can. */
export function checkBlocked(node: NodeView): Answer | undefined {
  return node.isBlocked ? BLOCKED : undefined;
}

export function checkState(node: NodeView): Answer | undefined {
  return node.state === "running" ? undefined : { status: 503, body: `Server is ${node.state}` };
}

/** Balancers are to send clients elsewhere; who comes all the same is served. */
export function checkLeaving(node: NodeView, leaving: Leaving | undefined): Answer | undefined {
  return node.isDraining === true || leaving?.hasBegun === true ? DRAINING : undefined;
}
