import { sql } from "drizzle-orm";
import { unlockCodes } from "../../db/schema/index.ts";
import type { UserId } from "../../domain/ids.ts";
import { type Context, change } from "../context.ts";
import { auditPerson, findPersonFor } from "../second-factor/find.ts";

/** Long enough to read it off a page and type it. */
export const UNLOCK_CODE_SECONDS = 120;

/** By auth, for a user who has just proved themselves at their provider. A newer code replaces the older one. */
export async function createUnlockCode(
  context: Context,
  { userId, codeHash }: { readonly userId: UserId; readonly codeHash: Uint8Array },
): Promise<void> {
  await change(context, { doing: `make an unlock code for user ${userId}` }, async (inside) => {
    const person = await findPersonFor(inside, "unlock-code.create", { userId });
    const expiresAt = sql`qvd_now() + make_interval(secs => ${UNLOCK_CODE_SECONDS})`;
    await inside.db
      .insert(unlockCodes)
      .values({ userId, codeHash, expiresAt })
      .onConflictDoUpdate({ target: unlockCodes.userId, set: { codeHash, expiresAt } });
    await auditPerson(inside, "unlock-code.create", { person });
  });
}
