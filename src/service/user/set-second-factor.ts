import { z } from "zod";
import { insertRow } from "../../db/insert.ts";
import { secondFactors } from "../../db/schema/index.ts";
import type { UserId } from "../../domain/ids.ts";
import { recordAudit } from "../audit.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { findUserFor } from "./find.ts";

/** Seals for auth alone; `secret` is in base 32. */
export type SecondFactorDeps = { readonly sealSecondFactor: (secret: string) => Promise<Uint8Array> };

export const setUserSecondFactorInput = z.object({
  userId: idField<UserId>(),
  /** As QVD 4 kept it: base 32 of 80 bits or more. */
  secret: z
    .string({ error: "must be text" })
    .transform((text) => text.replaceAll(/[\s-]|=+\s*$/g, "").toUpperCase())
    .pipe(z.string().regex(/^[A-Z2-7]{16,128}$/, "must be 16 to 128 of A-Z 2-7, as QVD 4 kept it")),
});

/**
 * For a user who comes from QVD 4 with their authenticator app. One that is set up already stays: whoever set it up has
 * another secret in their app. There are no recovery codes before they make some.
 */
export async function setUserSecondFactor(
  context: Context,
  deps: SecondFactorDeps,
  input: z.input<typeof setUserSecondFactorInput>,
): Promise<void> {
  const { userId, secret } = parseInput(setUserSecondFactorInput, input);
  const doing = `set the second factor of user ${userId}`;
  const message = `user ${userId} has a second factor already; reset it first`;
  const conflicts = { second_factors_user_id_key: { message } };
  // Looked up first, so that a stranger can't make auth work; and again below, where it counts.
  await change(context, { doing }, (inside) => findUserFor(inside, "user.set-second-factor", userId));
  const sealedSecret = await deps.sealSecondFactor(secret);
  await change(context, { doing, conflicts }, async (inside) => {
    const user = await findUserFor(inside, "user.set-second-factor", userId);
    await insertRow(inside.db, secondFactors, { userId, sealedSecret, lastStep: 0 });
    await recordAudit(inside, {
      action: "user.set-second-factor",
      tenantId: user.tenantId,
      subjectKind: "user",
      subjectId: userId,
      subjectName: user.login,
    });
  });
}
