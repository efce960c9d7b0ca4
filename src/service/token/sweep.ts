import { lt, or, sql } from "drizzle-orm";
import { unlockCodes, userTokens } from "../../db/schema/index.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";

/** By auth, now and then: what is over for a week is of no use to anybody. Returns how many tokens went. */
export async function sweepTokens(context: Context): Promise<number> {
  authorize(context, "token.sweep", { what: "tokens" });
  return await change(context, { doing: "sweep old tokens" }, async (inside) => {
    await inside.db.delete(unlockCodes).where(lt(unlockCodes.expiresAt, sql`qvd_now()`));
    const aWeekAgo = sql`qvd_now() - interval '7 days'`;
    const gone = await inside.db
      .delete(userTokens)
      .where(or(lt(userTokens.expiresAt, aWeekAgo), lt(userTokens.revokedAt, aWeekAgo)))
      .returning({ id: userTokens.id });
    return gone.length;
  });
}
