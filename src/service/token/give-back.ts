import { eq } from "drizzle-orm";
import { userTokens } from "../../db/schema/index.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { auditPerson, findPersonFor } from "../second-factor/find.ts";
import { tokenHash } from "../sign-in/token.ts";

/** By auth, for whoever shows a token and wants it no more. It opens nothing from now on; nobody's token is none. */
export async function giveBackToken(context: Context, token: string): Promise<void> {
  authorize(context, "token.give-back", { what: "a token" });
  await change(context, { doing: "take a token back" }, async (inside) => {
    const [row] = await inside.db
      .delete(userTokens)
      .where(eq(userTokens.tokenHash, tokenHash(token)))
      .returning({ id: userTokens.id, userId: userTokens.userId });
    if (row === undefined) return;
    const person = await findPersonFor(inside, "token.give-back", { userId: row.userId });
    await auditPerson(inside, "token.give-back", { person, detail: { tokenId: row.id } });
  });
}
