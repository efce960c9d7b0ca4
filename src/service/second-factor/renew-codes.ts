import { eq } from "drizzle-orm";
import { recoveryCodes } from "../../db/schema/index.ts";
import { type Context, change } from "../context.ts";
import { auditPerson, findPersonFor, type PersonId } from "./find.ts";

export type RecoveryCodeRenewal = {
  readonly of: PersonId;
  readonly secondFactorId: number;
  readonly codeHashes: readonly Uint8Array[];
};

/** By auth, for somebody who has just proved themselves with both factors: the codes of before open nothing more. */
export async function renewRecoveryCodes(context: Context, input: RecoveryCodeRenewal): Promise<void> {
  await change(context, { doing: "make new recovery codes" }, async (inside) => {
    const person = await findPersonFor(inside, "second-factor.renew-codes", input.of);
    const { secondFactorId, codeHashes } = input;
    await inside.db.delete(recoveryCodes).where(eq(recoveryCodes.secondFactorId, secondFactorId));
    for (const codeHash of codeHashes)
      await inside.db.insert(recoveryCodes).values({ secondFactorId, codeHash });
    await auditPerson(inside, "second-factor.renew-codes", { person });
  });
}
