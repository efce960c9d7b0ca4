import { and, eq, gt, sql } from "drizzle-orm";
import { unlockCodes } from "../../db/schema/index.ts";
import type { UserId } from "../../domain/ids.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";

/** By auth: spends the user's unlock code. False when it is another one, over, or spent. */
export async function useUnlockCode(
  context: Context,
  { userId, codeHash }: { readonly userId: UserId; readonly codeHash: Uint8Array },
): Promise<boolean> {
  authorize(context, "unlock-code.use", { what: "an unlock code" });
  return await change(context, { doing: "spend an unlock code" }, async (inside) => {
    const spent = await inside.db
      .delete(unlockCodes)
      .where(
        and(
          eq(unlockCodes.userId, userId),
          eq(unlockCodes.codeHash, codeHash),
          gt(unlockCodes.expiresAt, sql`qvd_now()`),
        ),
      )
      .returning({ userId: unlockCodes.userId });
    return spent.length === 1;
  });
}
