import { insertRow } from "../../db/insert.ts";
import { recoveryCodes, secondFactors } from "../../db/schema/index.ts";
import { type Context, change } from "../context.ts";
import { auditPerson, findPersonFor, type PersonId } from "./find.ts";

export type SecondFactorEnrolment = {
  readonly of: PersonId;
  readonly sealedSecret: Uint8Array;
  /** Of the code that proved that the app has the secret. */
  readonly step: number;
  readonly codeHashes: readonly Uint8Array[];
};

const ONE_ALREADY = {
  message: "A second factor is set up already. Remove it first, or have an administrator reset it.",
};

/** By auth, for somebody who has just proved both themselves and that their app has the secret. */
export async function enrolSecondFactor(context: Context, input: SecondFactorEnrolment): Promise<void> {
  const conflicts = {
    second_factors_user_id_key: ONE_ALREADY,
    second_factors_administrator_id_key: ONE_ALREADY,
  };
  await change(context, { doing: "set up a second factor", conflicts }, async (inside) => {
    const person = await findPersonFor(inside, "second-factor.enrol", input.of);
    const { sealedSecret, step, codeHashes } = input;
    const secondFactorId = await insertRow(inside.db, secondFactors, {
      ...input.of,
      sealedSecret,
      lastStep: step,
    });
    for (const codeHash of codeHashes)
      await inside.db.insert(recoveryCodes).values({ secondFactorId, codeHash });
    await auditPerson(inside, "second-factor.enrol", { person });
  });
}
