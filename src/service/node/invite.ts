import { lt, sql } from "drizzle-orm";
import { z } from "zod";
import { joinCodes } from "../../db/schema/index.ts";
import { formatActor } from "../../domain/access/actor.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { parseInput, textField, wholeNumber } from "../input.ts";

export const inviteNodeInput = z.object({
  id: z.string().regex(/^[A-Za-z0-9_-]{16,64}$/, "must be 16 to 64 random characters"),
  /** What only the code opens. */
  sealed: z.instanceof(Uint8Array),
  nodeName: textField(1, 127),
  validSeconds: wholeNumber(60, 7 * 86_400),
});

/** Lays a sealed bundle down for one more box, as the schema's owner: no process may read or write the rest of it. */
export async function inviteNode(context: Context, input: z.input<typeof inviteNodeInput>): Promise<void> {
  const { id, sealed, nodeName, validSeconds } = parseInput(inviteNodeInput, input);
  authorize(context, "node.invite", { what: `node ${nodeName}` });
  await change(context, { doing: `invite node ${nodeName}` }, async (inside) => {
    await inside.db.delete(joinCodes).where(lt(joinCodes.expiresAt, sql`qvd_now()`));
    await inside.db.insert(joinCodes).values({
      id,
      sealed: Buffer.from(sealed),
      createdBy: formatActor(inside.actor),
      expiresAt: sql`qvd_now() + make_interval(secs => ${validSeconds})`,
    });
    await recordAudit(inside, {
      action: "node.invite",
      subjectKind: "node",
      subjectName: nodeName,
      detail: { validSeconds },
    });
  });
}
