import { and, eq, gt, lt, sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { attemptDatabase } from "../../db/errors.ts";
import { administratorSessions, administrators } from "../../db/schema/index.ts";
import type { AdministratorActor } from "../../domain/access/actor.ts";
import { readAdministratorActor } from "./administrator-actor.ts";
import { tokenHash } from "./token.ts";

export type FoundSignIn = {
  readonly actor: AdministratorActor;
  readonly csrfToken: string;
  readonly expiresAt: Date;
};

/**
 * Who the bearer of `token` is, with their rights as they are now; undefined when the sign-in has expired or
 * ended, or the administrator is blocked. Notes that they were seen, at most once a minute.
 */
export async function findSignIn(db: Db, token: string): Promise<FoundSignIn | undefined> {
  // Ours have 43 characters; a stranger's megabytes need no hash.
  if (token === "" || token.length > 128) return undefined;
  return await attemptDatabase("check your sign-in", async () => {
    const hash = tokenHash(token);
    const [row] = await db
      .select()
      .from(administratorSessions)
      .where(
        and(eq(administratorSessions.tokenHash, hash), gt(administratorSessions.expiresAt, sql`qvd_now()`)),
      );
    if (row === undefined) return undefined;
    const actor = await readAdministratorActor(db, eq(administrators.id, row.administratorId));
    if (actor === undefined) return undefined;
    await db
      .update(administratorSessions)
      .set({ seenAt: sql`qvd_now()` })
      .where(
        and(
          eq(administratorSessions.tokenHash, hash),
          lt(administratorSessions.seenAt, sql`qvd_now() - interval '1 minute'`),
        ),
      );
    return { actor, csrfToken: row.csrfToken, expiresAt: row.expiresAt };
  });
}
