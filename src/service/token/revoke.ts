import { and, eq, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { users, userTokens } from "../../db/schema/index.ts";
import type { TokenId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";

export const revokeTokenInput = z.object({ tokenId: idField<TokenId>() });

/** The token opens nothing from now on; sessions that it began go on. May be called twice. */
export async function revokeToken(context: Context, input: z.input<typeof revokeTokenInput>): Promise<void> {
  const { tokenId } = parseInput(revokeTokenInput, input);
  await change(context, { doing: `revoke token ${tokenId}` }, async (inside) => {
    const [found] = await inside.db
      .select({ userId: users.id, login: users.login, tenantId: users.tenantId })
      .from(userTokens)
      .innerJoin(users, eq(users.id, userTokens.userId))
      .where(eq(userTokens.id, tokenId));
    const what = `token ${tokenId}`;
    const owner = found === undefined ? {} : { tenantId: found.tenantId, ownerId: found.userId };
    authorize(inside, "token.revoke", { what, ...owner });
    if (found === undefined) throw new AppError("not-found", `${what} does not exist`);
    await inside.db
      .update(userTokens)
      .set({ revokedAt: sql`qvd_now()` })
      .where(and(eq(userTokens.id, tokenId), isNull(userTokens.revokedAt)));
    await recordAudit(inside, {
      action: "token.revoke",
      tenantId: found.tenantId,
      subjectKind: "user",
      subjectId: found.userId,
      subjectName: found.login,
      detail: { tokenId },
    });
  });
}
