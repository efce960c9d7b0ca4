/** Second factors: with what is secret of them for auth, and without it for pages. */

import { and, eq, isNull, type SQL, sql } from "drizzle-orm";
import type { AdministratorId, UserId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { recoveryCodes, secondFactors, userCredentials } from "../schema/index.ts";

export type SecondFactorOwner = { readonly userId: UserId } | { readonly administratorId: AdministratorId };

/** Only the auth process's role may read it. */
export async function readSealedSecondFactor(db: Db, of: SecondFactorOwner) {
  const [row] = await db
    .select({
      id: secondFactors.id,
      sealedSecret: secondFactors.sealedSecret,
      lastStep: secondFactors.lastStep,
    })
    .from(secondFactors)
    .where(ownedBy(of));
  return row;
}

export type SecondFactorFacts = { readonly since: Date; readonly recoveryCodesLeft: number };

/** Undefined when none is set up. */
export async function readSecondFactorFacts(
  db: Db,
  of: SecondFactorOwner,
): Promise<SecondFactorFacts | undefined> {
  const [row] = await db
    .select({ id: secondFactors.id, since: secondFactors.createdAt })
    .from(secondFactors)
    .where(ownedBy(of));
  if (row === undefined) return undefined;
  const ofFactor = eq(recoveryCodes.secondFactorId, row.id);
  const [left] = await db
    .select({ count: sql<number>`count(${recoveryCodes.secondFactorId})::int` })
    .from(recoveryCodes)
    .where(and(ofFactor, isNull(recoveryCodes.usedAt)));
  return { since: row.since, recoveryCodesLeft: left?.count ?? 0 };
}

/** Whether a user has a password of ours. Only the auth process's role may ask. */
export async function hasUserPassword(db: Db, userId: UserId): Promise<boolean> {
  return (await db.$count(userCredentials, eq(userCredentials.userId, userId))) > 0;
}

/** Milliseconds since 1970 by the clock that all boxes of the site share. */
export async function readDatabaseNowMs(db: Db): Promise<number> {
  const [row] = await db.execute<{ ms: string }>(
    sql`select (extract(epoch from qvd_now()) * 1000)::text as ms`,
  );
  return Number(row?.ms);
}

function ownedBy(of: SecondFactorOwner): SQL {
  return "userId" in of
    ? eq(secondFactors.userId, of.userId)
    : eq(secondFactors.administratorId, of.administratorId);
}
