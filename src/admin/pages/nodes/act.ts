import type { Handler } from "hono";
import type { NodeId } from "../../../domain/ids.ts";
import { blockNode } from "../../../service/node/block.ts";
import { unblockNode } from "../../../service/node/unblock.ts";
import { undrainNode } from "../../../service/node/undrain.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminEnv } from "../../env.ts";
import { executeAndReturn } from "../../redirect.ts";
import { idParam } from "../../visible.ts";

const VERBS = {
  block: {
    execute: blockNode,
    done: "Blocked: it takes no new clients and no new desktops. What runs there goes on.",
  },
  unblock: { execute: unblockNode, done: "Unblocked." },
  undrain: { execute: undrainNode, done: "The drain has ended: it takes desktops again." },
} as const;

/** POST /nodes/:id/block and /nodes/:id/unblock */
export function actOnNode(deps: AdminDeps, verb: keyof typeof VERBS): Handler<AdminEnv> {
  const { execute, done } = VERBS[verb];
  return async function executeVerb(c) {
    return executeAndReturn(c, { fallback: "/nodes", done }, async () => {
      await execute(contextOf(deps, c), { nodeId: idParam<NodeId>(c, "node") });
      deps.wake("node");
    });
  };
}
