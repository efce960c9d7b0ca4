import { eq, lt, sql } from "drizzle-orm";
import { z } from "zod";
import { administratorSessions, administrators } from "../../db/schema/index.ts";
import type { AdministratorActor } from "../../domain/access/actor.ts";
import type { AdministratorId } from "../../domain/ids.ts";
import { AppError, invariant } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, wholeNumber } from "../input.ts";
import { readAdministratorActor } from "./administrator-actor.ts";
import { tokenHash } from "./token.ts";

export const beginSignInInput = z.object({
  administratorId: idField<AdministratorId>(),
  lifetimeSeconds: wholeNumber(60, 30 * 86_400).default(12 * 3600),
});

export type BeginSignInDeps = { readonly randomToken: () => string };

export type BegunSignIn = {
  /** Given to its owner now and kept by nobody else. */
  readonly token: string;
  readonly csrfToken: string;
  readonly expiresAt: Date;
  readonly actor: AdministratorActor;
};

/** For an administrator whom auth has just proved; the context's actor is the program (`system`). */
export async function beginSignIn(
  context: Context,
  deps: BeginSignInDeps,
  input: z.input<typeof beginSignInInput>,
): Promise<BegunSignIn> {
  const { administratorId, lifetimeSeconds } = parseInput(beginSignInInput, input);
  authorize(context, "administrator.sign-in", { what: `administrator ${administratorId}` });
  const token = deps.randomToken();
  const csrfToken = deps.randomToken();
  return await change(context, { doing: "sign in" }, async (inside) => {
    const actor = await readAdministratorActor(inside.db, eq(administrators.id, administratorId));
    if (actor === undefined) throw new AppError("not-signed-in", "this administrator may not sign in");
    await inside.db.delete(administratorSessions).where(lt(administratorSessions.expiresAt, sql`qvd_now()`));
    const [row] = await inside.db
      .insert(administratorSessions)
      .values({
        tokenHash: tokenHash(token),
        administratorId,
        csrfToken,
        expiresAt: sql`qvd_now() + make_interval(secs => ${lifetimeSeconds})`,
      })
      .returning({ expiresAt: administratorSessions.expiresAt });
    invariant(row !== undefined, "an insert returns its row");
    await recordAudit(
      { ...inside, actor },
      {
        action: "administrator.sign-in",
        tenantId: actor.tenantId,
        subjectKind: "administrator",
        subjectId: administratorId,
        subjectName: actor.login,
      },
    );
    return { token, csrfToken, expiresAt: row.expiresAt, actor };
  });
}
