import { eq, lt, sql } from "drizzle-orm";
import { z } from "zod";
import { users, userWebSessions } from "../../db/schema/index.ts";
import type { UserActor } from "../../domain/access/actor.ts";
import type { UserId } from "../../domain/ids.ts";
import { AppError, invariant } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, wholeNumber } from "../input.ts";
import { tokenHash } from "../sign-in/token.ts";
import { readUserActor } from "./user-actor.ts";

export const beginWebSessionInput = z.object({
  userId: idField<UserId>(),
  /** What the authenticator gives their desktops. */
  parameters: z.record(z.string().max(128), z.string().max(1024)).default({}),
  lifetimeSeconds: wholeNumber(60, 30 * 86_400).default(12 * 3600),
});

export type BegunWebSession = {
  /** Given to its owner now and kept by nobody else. */
  readonly token: string;
  readonly csrfToken: string;
  readonly expiresAt: Date;
  readonly actor: UserActor;
};

/** For a user whom auth has just proved; the context's actor is the program (`system`). */
export async function beginWebSession(
  context: Context,
  deps: { readonly randomToken: () => string },
  input: z.input<typeof beginWebSessionInput>,
): Promise<BegunWebSession> {
  const { userId, parameters, lifetimeSeconds } = parseInput(beginWebSessionInput, input);
  authorize(context, "web-session.begin", { what: `user ${userId}` });
  const token = deps.randomToken();
  const csrfToken = deps.randomToken();
  return await change(context, { doing: "sign in" }, async (inside) => {
    const actor = await readUserActor(inside.db, eq(users.id, userId));
    if (actor === undefined) throw new AppError("not-signed-in", "this user may not sign in");
    await inside.db.delete(userWebSessions).where(lt(userWebSessions.expiresAt, sql`qvd_now()`));
    const [row] = await inside.db
      .insert(userWebSessions)
      .values({
        tokenHash: tokenHash(token),
        userId,
        csrfToken,
        parameters,
        expiresAt: sql`qvd_now() + make_interval(secs => ${lifetimeSeconds})`,
      })
      .returning({ expiresAt: userWebSessions.expiresAt });
    invariant(row !== undefined, "an insert returns its row");
    await recordAudit(
      { ...inside, actor },
      {
        action: "web-session.begin",
        tenantId: actor.tenantId,
        subjectKind: "user",
        subjectId: userId,
        subjectName: actor.login,
      },
    );
    return { token, csrfToken, expiresAt: row.expiresAt, actor };
  });
}
