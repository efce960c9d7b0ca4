import { eq } from "drizzle-orm";
import { nodes } from "../../db/schema/index.ts";
import type { NodeId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";

/** What blocking and unblocking share; the action of the two decides the right. */
export async function setNodeBlocked(context: Context, nodeId: NodeId, isBlocked: boolean): Promise<void> {
  const action = isBlocked ? "node.block" : "node.unblock";
  authorize(context, action, { what: `node ${nodeId}` });
  await change(context, { doing: `${isBlocked ? "block" : "unblock"} node ${nodeId}` }, async (inside) => {
    const [node] = await inside.db
      .update(nodes)
      .set({ isBlocked })
      .where(eq(nodes.id, nodeId))
      .returning({ name: nodes.name });
    if (node === undefined) throw new AppError("not-found", `node ${nodeId} does not exist`);
    await recordAudit(inside, { action, subjectKind: "node", subjectId: nodeId, subjectName: node.name });
  });
}
