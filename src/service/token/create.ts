import { and, desc, eq, isNull, notInArray, sql } from "drizzle-orm";
import { z } from "zod";
import { users, userTokens } from "../../db/schema/index.ts";
import type { TokenId, UserId, VmId } from "../../domain/ids.ts";
import { AppError, invariant } from "../../lib/errors.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, wholeNumber } from "../input.ts";
import { auditPerson, findPersonFor } from "../second-factor/find.ts";
import { tokenHash } from "../sign-in/token.ts";

/** Of one user at a time; with one more the oldest goes, so that nobody fills the table and nobody is kept out. */
export const MOST_TOKENS = 100;

export const createTokenInput = z.object({
  userId: idField<UserId>(),
  /** Opens this desktop and no other. */
  vmId: idField<VmId>().optional(),
  isMultiUse: z.boolean(),
  /** What the authenticator gives their desktops. */
  parameters: z.record(z.string().max(128), z.string().max(1024)).default({}),
  lifetimeSeconds: wholeNumber(1, 30 * 86_400),
});

/** By auth, for a broker whose user has proved themselves. The token is given to its owner and kept by nobody. */
export async function createToken(
  context: Context,
  deps: { readonly randomToken: () => string },
  input: z.input<typeof createTokenInput>,
): Promise<{ readonly tokenId: TokenId; readonly token: string }> {
  const { userId, vmId, isMultiUse, parameters, lifetimeSeconds } = parseInput(createTokenInput, input);
  const token = deps.randomToken();
  const conflicts = { user_tokens_vm_id_fkey: { message: `desktop ${vmId} does not exist`, field: "vmId" } };
  return await change(context, { doing: `make a token for user ${userId}`, conflicts }, async (inside) => {
    const person = await findPersonFor(inside, "token.create", { userId });
    const blocked = await inside.db.$count(users, and(eq(users.id, userId), eq(users.isBlocked, true)));
    if (blocked > 0) throw new AppError("forbidden", `user ${userId} is blocked`);
    const [row] = await inside.db
      .insert(userTokens)
      .values({
        tokenHash: tokenHash(token),
        userId,
        vmId: vmId ?? null,
        isMultiUse,
        parameters,
        origin: inside.origin ?? "",
        expiresAt: sql`qvd_now() + make_interval(secs => ${lifetimeSeconds})`,
      })
      .returning({ id: userTokens.id });
    invariant(row !== undefined, "an insert returns its row");
    const tokenId = row.id;
    const newest = inside.db
      .select({ id: userTokens.id })
      .from(userTokens)
      .where(and(eq(userTokens.userId, userId), isNull(userTokens.revokedAt)))
      .orderBy(desc(userTokens.id))
      .limit(MOST_TOKENS);
    await inside.db
      .delete(userTokens)
      .where(and(eq(userTokens.userId, userId), notInArray(userTokens.id, newest)));
    await auditPerson(inside, "token.create", {
      person,
      detail: { tokenId, isMultiUse, lifetimeSeconds, ...(vmId === undefined ? {} : { vmId }) },
    });
    return { tokenId, token };
  });
}
