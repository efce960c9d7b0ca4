import { and, eq, gt, lt, sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { attemptDatabase } from "../../db/errors.ts";
import { users, userWebSessions } from "../../db/schema/index.ts";
import type { UserActor } from "../../domain/access/actor.ts";
import type { GivenParameters } from "../../domain/session/client-parameters.ts";
import { tokenHash } from "../sign-in/token.ts";
import { readUserActor } from "./user-actor.ts";

export type FoundWebSession = {
  readonly actor: UserActor;
  readonly csrfToken: string;
  readonly parameters: GivenParameters;
  readonly expiresAt: Date;
};

/** Ours have 43 characters; a stranger's megabytes need no hash. */
const MOST_TOKEN = 128;

/**
 * Who the bearer of `token` is; undefined when the sign-in has expired or ended, or the user is blocked. Notes that
 * they were seen, at most once a minute.
 */
export async function findWebSession(db: Db, token: string): Promise<FoundWebSession | undefined> {
  if (token === "" || token.length > MOST_TOKEN) return undefined;
  return await attemptDatabase("check your sign-in", async () => {
    const mine = eq(userWebSessions.tokenHash, tokenHash(token));
    const [row] = await db
      .select()
      .from(userWebSessions)
      .where(and(mine, gt(userWebSessions.expiresAt, sql`qvd_now()`)));
    if (row === undefined) return undefined;
    const actor = await readUserActor(db, eq(users.id, row.userId));
    if (actor === undefined) return undefined;
    await db
      .update(userWebSessions)
      .set({ seenAt: sql`qvd_now()` })
      .where(and(mine, lt(userWebSessions.seenAt, sql`qvd_now() - interval '1 minute'`)));
    const { csrfToken, parameters, expiresAt } = row;
    return { actor, csrfToken, parameters, expiresAt };
  });
}
