/** /api/v1/nodes: the site's administrators alone. */

import type { Handler } from "hono";
import { listNodes, readNode } from "../../db/queries/nodes.ts";
import type { NodeId } from "../../domain/ids.ts";
import { blockNode } from "../../service/node/block.ts";
import { changeNode } from "../../service/node/change.ts";
import { drainNode } from "../../service/node/drain.ts";
import { endStranger } from "../../service/node/end-stranger.ts";
import { removeNode } from "../../service/node/remove.ts";
import { unblockNode } from "../../service/node/unblock.ts";
import { undrainNode } from "../../service/node/undrain.ts";
import { rehearse } from "../../service/rehearse.ts";
import { contextOf } from "../context.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminEnv } from "../env.ts";
import { found, idParam, requireSite, strangerParam } from "../visible.ts";
import { pick, readJson, readOptionalJson, unparsed } from "./body.ts";
import { answerPage, isTrial, pageOfAll, readListQuery } from "./list.ts";
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

const VERBS = { block: blockNode, unblock: unblockNode, undrain: undrainNode } as const;

export function apiActOnNode(deps: AdminDeps, verb: keyof typeof VERBS): Handler<AdminEnv> {
  return async function executeVerb(c) {
    await VERBS[verb](contextOf(deps, c), { nodeId: idParam<NodeId>(c, "node") });
    deps.wake("node");
    return c.body(null, 204);
  };
}

/** Body: `{ "mode": "finish" }` or `"move"`. Says how many desktops leave and how many can't. */
export const apiDrainNode: Api = (deps) => async (c) => {
  const nodeId = idParam<NodeId>(c, "node");
  const fields = pick(await readOptionalJson(c), ["mode"]);
  const wish = unparsed<Parameters<typeof drainNode>[1]>({ ...fields, nodeId });
  if (isTrial(c)) return c.json(await rehearse(contextOf(deps, c), (inside) => drainNode(inside, wish)));
  const drained = await drainNode(contextOf(deps, c), wish);
  deps.wake("node");
  deps.wake("vm");
  return c.json(drained);
};

/** Query `trial=yes`: only look whether it would be refused. */
export const apiEndStranger: Api = (deps) => async (c) => {
  const wish = { nodeId: idParam<NodeId>(c, "node"), vmId: strangerParam(c) };
  if (isTrial(c)) await rehearse(contextOf(deps, c), (inside) => endStranger(inside, wish));
  else {
    await endStranger(contextOf(deps, c), wish);
    deps.wake("vm");
  }
  return c.body(null, 204);
};

export const apiChangeNode: Api = (deps) => async (c) => {
  const nodeId = idParam<NodeId>(c, "node");
  const fields = pick(await readJson(c), ["weight"]);
  await changeNode(contextOf(deps, c), unparsed({ ...fields, nodeId }));
  deps.live.notice();
  return c.json(nodeShape(found(await readNode(deps.db, nodeId), "node")));
};

/** Query `gone=yes`: the box is gone for good; `trial=yes`: only look whether it would be refused. */
export const apiRemoveNode: Api = (deps) => async (c) => {
  const nodeId = idParam<NodeId>(c, "node");
  const isGone = c.req.query("gone") === "yes";
  const removed = await removeNode(contextOf(deps, c), { nodeId, isGone, isTrial: isTrial(c) });
  if (!isTrial(c)) deps.wake("vm");
  return c.json(removed);
};
