import { eq, sql } from "drizzle-orm";
import { z } from "zod";
import { nodes } from "../../db/schema/index.ts";
import type { NodeId } from "../../domain/ids.ts";
import { AppError, invariant } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { parseInput, textField } from "../input.ts";

export const registerNodeInput = z.object({
  name: textField(1, 127).regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "must be a host name"),
  /** Random, made once by the box and kept in its state folder. */
  boxId: textField(8, 64).optional(),
  /** Where other boxes reach its broker, as HOST:PORT. */
  address: textField(1, 260).optional(),
});

type Registration = z.output<typeof registerNodeInput>;

/**
 * Gives the box its id: the one it has if the name is known, a new one otherwise. May be called at each start.
 * A name that belongs to another box is a `conflict`: two boxes under one name would run desktops twice.
 */
export async function registerNode(
  context: Context,
  input: z.input<typeof registerNodeInput>,
): Promise<{ nodeId: NodeId; isNew: boolean }> {
  const registration = parseInput(registerNodeInput, input);
  const { name } = registration;
  authorize(context, "node.register", { what: `node ${name}` });
  return await change(context, { doing: `register node ${name}` }, async (inside) => {
    const known = await readKnown(inside, name);
    if (known !== undefined) return { nodeId: await recognise(inside, registration, known), isNew: false };
    // Not drizzle's insert: a node may insert these columns and nothing else.
    const { boxId = null, address = null } = registration;
    await inside.db.execute(sql`insert into ${nodes} (name, box_id, address)
      values (${name}, ${boxId}::text, ${address}::text) on conflict (name) do nothing`);
    const made = await readKnown(inside, name);
    invariant(made !== undefined, `node ${name} has a row after its insert`);
    const nodeId = await recognise(inside, registration, made);
    await recordAudit(inside, {
      action: "node.register",
      subjectKind: "node",
      subjectId: nodeId,
      subjectName: name,
    });
    return { nodeId, isNew: true };
  });
}

type Known = { readonly id: NodeId; readonly boxId: string | null };

async function readKnown(inside: Context, name: string): Promise<Known | undefined> {
  const [row] = await inside.db
    .select({ id: nodes.id, boxId: nodes.boxId })
    .from(nodes)
    .where(eq(nodes.name, name));
  return row;
}

/** A node of before boxes had ids gets that of the first to come. */
async function recognise(
  inside: Context,
  { name, boxId, address }: Registration,
  known: Known,
): Promise<NodeId> {
  if (boxId === undefined) return known.id;
  if (known.boxId !== null && known.boxId !== boxId)
    throw new AppError(
      "conflict",
      `register node ${name}: another box is registered under this name. Give this one a name of its own (QVD_NODE_NAME); if it takes the place of a box that is gone, an administrator removes that one first (\`qvd node remove ${name}\`)`,
    );
  const patch = address === undefined ? { boxId } : { boxId, address };
  await inside.db.update(nodes).set(patch).where(eq(nodes.id, known.id));
  return known.id;
}
