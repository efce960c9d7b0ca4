import { eq, inArray, sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { attemptDatabase } from "../../db/errors.ts";
import { users, userWebSessions } from "../../db/schema/index.ts";
import { tokenHash } from "../sign-in/token.ts";

/**
 * Of those tokens, with when each expires, the ones whose web session somebody has ended: it is gone before its time,
 * or its user is blocked, however old it is.
 */
export async function listEndedWebSessions(
  db: Db,
  tokens: ReadonlyMap<string, Date>,
): Promise<readonly string[]> {
  if (tokens.size === 0) return [];
  const byHash = new Map([...tokens.keys()].map((token) => [hex(tokenHash(token)), token]));
  return await attemptDatabase("check who is signed in", async () => {
    const rows = await db
      .select({ hash: userWebSessions.tokenHash, isBlocked: users.isBlocked })
      .from(userWebSessions)
      .innerJoin(users, eq(users.id, userWebSessions.userId))
      .where(inArray(userWebSessions.tokenHash, [...tokens.keys()].map(tokenHash)));
    const there = new Set(rows.map(({ hash }) => hex(hash)));
    const blocked = rows.flatMap(({ hash, isBlocked }) => (isBlocked ? (byHash.get(hex(hash)) ?? []) : []));
    const missing = [...byHash].flatMap(([hash, token]) => (there.has(hash) ? [] : [token]));
    if (missing.length === 0) return blocked;
    const nowMs = await readNowMs(db);
    return [...blocked, ...missing.filter((token) => (tokens.get(token)?.getTime() ?? 0) > nowMs)];
  });
}

async function readNowMs(db: Db): Promise<number> {
  const [row] = await db.execute<{ ms: number }>(
    sql`select (extract(epoch from qvd_now()) * 1000)::float8 as ms`,
  );
  return row?.ms ?? Number.POSITIVE_INFINITY;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
