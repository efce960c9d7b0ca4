/**
 * Wishes a desktop ended that runs on a box though the site doesn't place it there: the database was restored, or promoted
 * without its last moments. The box ends nothing of the kind by itself, since the database may be the one that is wrong.
 */

import { eq, sql } from "drizzle-orm";
import { z } from "zod";
import { nodeReports, nodes, vms } from "../../db/schema/index.ts";
import type { NodeId, VmId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { auditNode, type FoundNode, findNodeFor } from "./find.ts";

export const endStrangerInput = z.object({ nodeId: idField<NodeId>(), vmId: idField<VmId>() });

/** `conflict` where the node tells of no such desktop, or the site places it there by now. Its home is never touched. */
export async function endStranger(context: Context, input: z.input<typeof endStrangerInput>): Promise<void> {
  const { nodeId, vmId } = parseInput(endStrangerInput, input);
  authorize(context, "node.end-stranger", { what: `node ${nodeId}` });
  await change(context, { doing: `end desktop ${vmId} on node ${nodeId}` }, async (inside) => {
    const node = await findNodeFor(inside, nodeId);
    await refuseOwn(inside, node, vmId);
    const wished = sql`(select array_agg(distinct id) from unnest(${nodes.strangersToEnd} || ${vmId}::int) as id)`;
    await inside.db.update(nodes).set({ strangersToEnd: wished }).where(eq(nodes.id, nodeId));
    await auditNode(inside, "node.end-stranger", { node, detail: { vmId } });
  });
}

async function refuseOwn(inside: Context, { id, name }: FoundNode, vmId: VmId): Promise<void> {
  const [vm] = await inside.db
    .select({ nodeId: vms.nodeId, name: vms.name })
    .from(vms)
    .where(eq(vms.id, vmId));
  if (vm?.nodeId === id)
    throw new AppError(
      "conflict",
      `desktop ${vm.name} is placed on node ${name}, so it is none that the site doesn't know there; end it with \`qvd vm stop ${vmId}\``,
    );
  const [row] = await inside.db
    .select({ strangers: sql<unknown>`${nodeReports.facts}->'strangers'` })
    .from(nodeReports)
    .where(eq(nodeReports.nodeId, id));
  const strangers: readonly unknown[] = Array.isArray(row?.strangers) ? row.strangers : [];
  if (strangers.includes(vmId)) return;
  const known = strangers.length === 0 ? "none at all" : strangers.join(", ");
  throw new AppError(
    "conflict",
    `node ${name} tells of no desktop ${vmId} that the site doesn't place there; it tells of ${known}`,
  );
}
