import { and, eq, isNull, sql } from "drizzle-orm";
import { recoveryCodes } from "../../db/schema/index.ts";
import { type Context, change } from "../context.ts";
import { auditPerson, findPersonFor, type PersonId } from "./find.ts";

export type RecoveryCodeUse = {
  readonly of: PersonId;
  readonly secondFactorId: number;
  readonly codeHash: Uint8Array;
};

/** By auth: spends a recovery code. False when there is no such code, or it is spent. */
export async function useRecoveryCode(context: Context, input: RecoveryCodeUse): Promise<boolean> {
  return await change(context, { doing: "spend a recovery code" }, async (inside) => {
    const person = await findPersonFor(inside, "second-factor.use", input.of);
    const { secondFactorId } = input;
    const ofFactor = eq(recoveryCodes.secondFactorId, secondFactorId);
    const spent = await inside.db
      .update(recoveryCodes)
      .set({ usedAt: sql`qvd_now()` })
      .where(and(ofFactor, eq(recoveryCodes.codeHash, input.codeHash), isNull(recoveryCodes.usedAt)))
      .returning({ id: recoveryCodes.secondFactorId });
    if (spent.length === 0) return false;
    const left = await inside.db.$count(recoveryCodes, and(ofFactor, isNull(recoveryCodes.usedAt)));
    await auditPerson(inside, "second-factor.use", { person, detail: { recoveryCodesLeft: left } });
    return true;
  });
}
