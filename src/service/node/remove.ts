/**
 * Takes a box out of the site for good. Refused while anything hangs on it. A box that burnt down can't give
 * its desktops back, so somebody may say that it is gone: then they are freed, and start elsewhere with what
 * lies on shared storage, or with nothing.
 */

import { eq, sql } from "drizzle-orm";
import { z } from "zod";
import { leases, nodeReports, nodes, osfs, vmEvents, vmReports, vms } from "../../db/schema/index.ts";
import { formatActor } from "../../domain/access/actor.ts";
import type { NodeId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { auditNode, type FoundNode, findNodeFor } from "./find.ts";

export const removeNodeInput = z.object({
  nodeId: idField<NodeId>(),
  /** The box is gone for good, with what lay on its own disk. */
  isGone: z.boolean({ error: "must be true or false" }).default(false),
  /** Only looks whether it would be refused. */
  isTrial: z.boolean({ error: "must be true or false" }).default(false),
});

type Ties = { isUp: boolean; isLeased: boolean; placed: number; homes: number };

export async function removeNode(
  context: Context,
  input: z.input<typeof removeNodeInput>,
): Promise<{ freed: number }> {
  const { nodeId, isGone, isTrial } = parseInput(removeNodeInput, input);
  authorize(context, "node.remove", { what: `node ${nodeId}` });
  return await change(context, { doing: `remove node ${nodeId}` }, async (inside) => {
    const node = await findNodeFor(inside, nodeId);
    const ties = await readTies(inside, node);
    refuseTied(node, ties, isGone);
    if (isTrial) return { freed: ties.placed };
    if (ties.placed > 0) await tellFreed(inside, node);
    await auditNode(inside, "node.remove", {
      node,
      detail: { isGone, freed: ties.placed, homes: ties.homes },
    });
    await inside.db.delete(nodes).where(eq(nodes.id, nodeId));
    return { freed: ties.placed };
  });
}

async function readTies(inside: Context, { id, sharedId }: FoundNode): Promise<Ties> {
  const [row] = await inside.db.execute<Ties>(sql`
    select
      coalesce((select state <> 'stopped' from ${nodeReports} where node_id = ${id}), false) as "isUp",
      coalesce((select valid_until > qvd_now() from ${leases} where node_id = ${id}), false) as "isLeased",
      (select count(*)::int from ${vms} where node_id = ${id}) as placed,
      (select count(*)::int from ${vmReports} r join ${vms} v on v.id = r.vm_id join ${osfs} o on o.id = v.osf_id
        where r.node_id = ${id} and v.deleted_at is null and o.persistence <> 'nothing' and ${sharedId === null}) as homes`);
  return row ?? { isUp: false, isLeased: false, placed: 0, homes: 0 };
}

function refuseTied({ name }: FoundNode, ties: Ties, isGone: boolean): void {
  const refuse = (text: string) => {
    throw new AppError("conflict", `node ${name} can't be removed: ${text}`);
  };
  if (ties.isLeased)
    refuse(
      "it holds the right to run desktops. Shut that box down first, desktops included: `qvd box stop` there, or as docs/operations/install.md says where it was installed",
    );
  if (isGone) return;
  if (ties.isUp)
    refuse("it did not shut down in order. Start it again, or say that the box is gone for good");
  if (ties.placed > 0)
    refuse(
      `${ties.placed} desktops are placed on it. Drain it first; of a box that is gone for good they can be given free`,
    );
  if (ties.homes > 0)
    refuse(
      `the homes of ${ties.homes} desktops lie on its own disk. They are lost with the box; say that it is gone for good`,
    );
}

/** Their rows lose the node with its own. Its lease goes too, so that a box which wasn't gone starts nothing. */
async function tellFreed(inside: Context, node: FoundNode): Promise<void> {
  const lost = node.sharedId === null ? ", without what lay on that node's disk" : "";
  const text = `Node ${node.name} is gone for good; the desktop is free for another node${lost}.`;
  await inside.db.execute(sql`
    insert into ${vmEvents} (vm_id, code, text, wish_generation, actor)
    select id, 'desktop-released', ${text}, wish_generation, ${formatActor(inside.actor)}
    from ${vms} where node_id = ${node.id}`);
}
