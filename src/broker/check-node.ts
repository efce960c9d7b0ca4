import type { Answer } from "../wire/client/answer.ts";
import type { NodeView } from "./store.ts";

export const NOT_REGISTERED: Answer = { status: 503, body: "Host is not registered in the database" };
const BLOCKED: Answer = { status: 503, body: "Server is blocked" };

/** Why this box can't serve now, in the original's words and order; undefined when it can. */
export function checkBlocked(node: NodeView): Answer | undefined {
  return node.isBlocked ? BLOCKED : undefined;
}

export function checkState(node: NodeView): Answer | undefined {
  return node.state === "running" ? undefined : { status: 503, body: `Server is ${node.state}` };
}
