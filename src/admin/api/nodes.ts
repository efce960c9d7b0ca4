/** /api/v1/nodes: the site's administrators alone. */

import type { Handler } from "hono";
import { listNodes, readNode } from "../../db/queries/nodes.ts";
import type { NodeId } from "../../domain/ids.ts";
import { blockNode } from "../../service/node/block.ts";
import { unblockNode } from "../../service/node/unblock.ts";
import { contextOf } from "../context.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminEnv } from "../env.ts";
import { found, idParam, requireSite } from "../visible.ts";
import { answerPage, pageOfAll, readListQuery } from "./list.ts";
import { nodeShape } from "./to-shape.ts";

type Api = (deps: AdminDeps) => Handler<AdminEnv>;

export const apiListNodes: Api = (deps) => async (c) => {
  requireSite(c);
  return answerPage(c, pageOfAll(await listNodes(deps.db), readListQuery(c)), nodeShape);
};

export const apiShowNode: Api = (deps) => async (c) => {
  requireSite(c);
  return c.json(nodeShape(found(await readNode(deps.db, idParam<NodeId>(c, "node")), "node")));
};

const VERBS = { block: blockNode, unblock: unblockNode } as const;

export function apiActOnNode(deps: AdminDeps, verb: keyof typeof VERBS): Handler<AdminEnv> {
  return async function executeVerb(c) {
    await VERBS[verb](contextOf(deps, c), { nodeId: idParam<NodeId>(c, "node") });
    deps.wake("node");
    return c.body(null, 204);
  };
}
