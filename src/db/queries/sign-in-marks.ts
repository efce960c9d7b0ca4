/** What the site's auth processes counted of failures to sign in; never what has expired. */

import { and, desc, gt, inArray, type SQL, sql } from "drizzle-orm";
import type { Db } from "../client.ts";
import { signInMarks } from "../schema/index.ts";

export type SignInMarkRow = Awaited<ReturnType<typeof readSignInMarks>>[number];

export async function readSignInMarks(db: Db, ids: readonly string[]) {
  return await selectLiving(db, inArray(signInMarks.id, [...ids]));
}

/** Of the lanes that slow sign-ins down, those with the most failures first. */
export async function listSignInMarks(db: Db, most: number) {
  return await selectLiving(db, inArray(signInMarks.lane, ["pair", "account", "address", "code"]))
    .orderBy(desc(signInMarks.failures))
    .limit(most);
}

function selectLiving(db: Db, which: SQL) {
  return db
    .select({
      id: signInMarks.id,
      lane: signInMarks.lane,
      key: signInMarks.key,
      failures: signInMarks.failures,
      ageMs: sql<number>`(extract(epoch from qvd_now() - ${signInMarks.lastAt}) * 1000)::float8`,
    })
    .from(signInMarks)
    .where(and(which, gt(signInMarks.expiresAt, sql`qvd_now()`)));
}
