import { eq } from "drizzle-orm";
import { nodes } from "../../db/schema/index.ts";
import type { Action } from "../../domain/access/action.ts";
import type { NodeId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import type { Context } from "../context.ts";

export type FoundNode = typeof nodes.$inferSelect;

/** Locks the row until the transaction ends. */
export async function findNodeFor(inside: Context, nodeId: NodeId): Promise<FoundNode> {
  const [node] = await inside.db.select().from(nodes).where(eq(nodes.id, nodeId)).for("update");
  if (node === undefined) throw new AppError("not-found", `node ${nodeId} does not exist`);
  return node;
}

/** The audit row of a change to a node. */
export function auditNode(
  inside: Context,
  action: Action,
  about: { readonly node: Pick<FoundNode, "id" | "name">; readonly detail?: Record<string, unknown> },
): Promise<void> {
  const { node, detail } = about;
  return recordAudit(inside, {
    action,
    subjectKind: "node",
    subjectId: node.id,
    subjectName: node.name,
    ...(detail === undefined ? {} : { detail }),
  });
}
