import { eq } from "drizzle-orm";
import { secondFactors } from "../../db/schema/index.ts";
import { type Context, change } from "../context.ts";
import { auditPerson, findPersonFor, type PersonId } from "./find.ts";

/** By auth, for somebody who has just proved themselves with both factors. May be called twice. */
export async function removeSecondFactor(context: Context, { of }: { readonly of: PersonId }): Promise<void> {
  await change(context, { doing: "remove a second factor" }, async (inside) => {
    const person = await findPersonFor(inside, "second-factor.remove", of);
    const own =
      "userId" in of
        ? eq(secondFactors.userId, of.userId)
        : eq(secondFactors.administratorId, of.administratorId);
    await inside.db.delete(secondFactors).where(own);
    await auditPerson(inside, "second-factor.remove", { person });
  });
}
