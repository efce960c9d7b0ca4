import { and, eq, gt, isNull, or, sql } from "drizzle-orm";
import { FORGET } from "../../db/forgettable.ts";
import { userTokens } from "../../db/schema/index.ts";
import type { UserId, VmId } from "../../domain/ids.ts";
import type { GivenParameters } from "../../domain/session/client-parameters.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { tokenHash } from "../sign-in/token.ts";

/** Longer texts are nobody's token and need no hash. */
const MOST_CHARACTERS = 256;

export type UsedToken = {
  readonly userId: UserId;
  readonly vmId: VmId | undefined;
  /** What the authenticator gave whoever had it made. */
  readonly parameters: GivenParameters;
};

/**
 * By auth: whose token it is, and that it was shown. Undefined when nobody's, over, revoked, or of single use and shown
 * before; then nothing tells which.
 */
export async function useToken(context: Context, token: string): Promise<UsedToken | undefined> {
  authorize(context, "token.use", { what: "a token" });
  if (token === "" || token.length > MOST_CHARACTERS) return undefined;
  return await change(context, { doing: "look at a token" }, async (inside) => {
    // The condition and the write are one statement: a single-use token shown twice at once is good once.
    const [row] = await inside.db
      .update(userTokens)
      .set({ usedAt: sql`qvd_now()` })
      .where(
        and(
          eq(userTokens.tokenHash, tokenHash(token)),
          gt(userTokens.expiresAt, sql`qvd_now()`),
          isNull(userTokens.revokedAt),
          or(eq(userTokens.isMultiUse, true), isNull(userTokens.usedAt)),
        ),
      )
      .returning({
        ...{ userId: userTokens.userId, vmId: userTokens.vmId, parameters: userTokens.parameters },
        // When one of many uses was shown last may be forgotten with a server that dies; that another was used may not.
        forgettable: sql`case when ${userTokens.isMultiUse} then ${FORGET} end`,
      });
    if (row === undefined) return undefined;
    return { userId: row.userId, vmId: row.vmId ?? undefined, parameters: row.parameters };
  });
}
