/**
 * Empties a node: it takes nothing more, and what runs there finishes or moves, by choice. The node itself
 * carries it out; what it means for each desktop is told in their trails here, with the wish.
 */

import { eq, sql } from "drizzle-orm";
import { z } from "zod";
import { listPlacementNodes } from "../../db/queries/placement.ts";
import { nodes, osfs, vmEvents, vmReports, vms } from "../../db/schema/index.ts";
import { formatActor } from "../../domain/access/actor.ts";
import type { NodeId } from "../../domain/ids.ts";
import { judgeNode, listCandidates, type Rejection } from "../../domain/node/judge-candidate.ts";
import { AppError } from "../../lib/errors.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { auditNode, type FoundNode, findNodeFor } from "./find.ts";

export const drainNodeInput = z.object({
  nodeId: idField<NodeId>(),
  /** `finish`: what runs goes on until it is stopped. `move`: it is stopped gracefully and starts elsewhere. */
  mode: z.enum(["finish", "move"], { error: "must be finish or move" }).default("finish"),
});

/** `staying` counts desktops that can't leave, because their homes lie on the node's own disk. */
export type Drained = { readonly leaving: number; readonly staying: number };

export async function drainNode(context: Context, input: z.input<typeof drainNodeInput>): Promise<Drained> {
  const { nodeId, mode } = parseInput(drainNodeInput, input);
  authorize(context, "node.drain", { what: `node ${nodeId}` });
  return await change(context, { doing: `drain node ${nodeId}` }, async (inside) => {
    const node = await findNodeFor(inside, nodeId);
    if (mode === "move") await refuseWithoutOthers(inside, node);
    await inside.db.update(nodes).set({ drain: mode, drainedAt: sql`qvd_now()` }).where(eq(nodes.id, nodeId));
    const drained = await tellDesktops(inside, node, mode);
    await auditNode(inside, "node.drain", { node, detail: { mode, ...drained } });
    return drained;
  });
}

/** Desktops that are stopped so that they can move must have somewhere to go. */
async function refuseWithoutOthers(inside: Context, node: FoundNode): Promise<void> {
  const others = (await listPlacementNodes(inside.db)).filter(({ nodeId }) => nodeId !== node.id);
  const judged = others.map((other) => ({ node: other.name, rejection: judgeNode(other) }));
  if (judged.some(({ rejection }) => rejection === undefined)) return;
  const rejected = judged.flatMap(({ node: name, rejection }) =>
    rejection === undefined ? [] : [{ ...rejection, node: name }],
  );
  throw new AppError(
    "conflict",
    `node ${node.name} can't be emptied by moving, since no other takes its desktops${describeOthers(rejected)}. Add one with \`qvd node invite\`, or drain with "finish"`,
  );
}

/** Each with its reason, as placement says it. */
function describeOthers(rejected: readonly (Rejection & { readonly node: string })[]): string {
  if (rejected.length === 0) return ": there is none";
  const named = listCandidates(rejected.slice(0, MOST_NAMED)).map(({ node, reason }) => `${node}: ${reason}`);
  const more = rejected.length > MOST_NAMED ? [`${rejected.length - MOST_NAMED} more`] : [];
  return ` (${[...named, ...more].join("; ")})`;
}

const MOST_NAMED = 10;

async function tellDesktops(inside: Context, node: FoundNode, mode: "finish" | "move"): Promise<Drained> {
  const leaves =
    mode === "move"
      ? `Node ${node.name} is being drained: the desktop is stopped gracefully and starts on another node.`
      : `Node ${node.name} is being drained: once stopped, the desktop starts on another node.`;
  const stays = `Node ${node.name} is being drained, but the desktop can't leave: its home lies on that node's own disk. It goes on until it is stopped, and then isn't started there before the drain ends.`;
  const [row] = await inside.db.execute<{ leaving: number; staying: number }>(sql`
    with there as (
      select v.id, v.wish_generation, ${node.sharedId !== null} or o.persistence = 'nothing' or r.vm_id is null as can_leave
      from ${vms} v join ${osfs} o on o.id = v.osf_id left join ${vmReports} r on r.vm_id = v.id
      where v.node_id = ${node.id} and v.deleted_at is null
    ), told as (
      insert into ${vmEvents} (vm_id, node_id, code, text, wish_generation, actor)
      select id, ${node.id}::int, 'node-drained', case when can_leave then ${leaves} else ${stays} end, wish_generation,
        ${formatActor(inside.actor)} from there
    )
    select count(*) filter (where can_leave)::int as leaving, count(*) filter (where not can_leave)::int as staying from there`);
  return { leaving: row?.leaving ?? 0, staying: row?.staying ?? 0 };
}
