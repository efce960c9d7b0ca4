import { eq, sql } from "drizzle-orm";
import { z } from "zod";
import { nodes } from "../../db/schema/index.ts";
import type { NodeId } from "../../domain/ids.ts";
import { invariant } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { parseInput, textField } from "../input.ts";

export const registerNodeInput = z.object({
  name: textField(1, 127).regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "must be a host name"),
});

/** Gives the box its id: the one it has if the name is known, a new one otherwise. May be called at each start. */
export async function registerNode(
  context: Context,
  input: z.input<typeof registerNodeInput>,
): Promise<{ nodeId: NodeId; isNew: boolean }> {
  const { name } = parseInput(registerNodeInput, input);
  authorize(context, "node.register", { what: `node ${name}` });
  return await change(context, { doing: `register node ${name}` }, async (inside) => {
    const known = await readId(inside, name);
    if (known !== undefined) return { nodeId: known, isNew: false };
    // Not drizzle's insert: a node may insert its name and nothing else.
    await inside.db.execute(sql`insert into ${nodes} (name) values (${name}) on conflict (name) do nothing`);
    const nodeId = await readId(inside, name);
    invariant(nodeId !== undefined, `node ${name} has a row after its insert`);
    await recordAudit(inside, {
      action: "node.register",
      subjectKind: "node",
      subjectId: nodeId,
      subjectName: name,
    });
    return { nodeId, isNew: true };
  });
}

async function readId(inside: Context, name: string): Promise<NodeId | undefined> {
  const [row] = await inside.db.select({ id: nodes.id }).from(nodes).where(eq(nodes.name, name));
  return row?.id;
}
