/** What the ways to ask for a visit have in common: the row with its ticket. */

import { eq, sql } from "drizzle-orm";
import { insertRow } from "../../db/insert.ts";
import { administratorSessions, visits } from "../../db/schema/index.ts";
import { formatActor } from "../../domain/access/actor.ts";
import { asId, type SessionId, type VisitId, type VmId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import type { Context } from "../context.ts";
import { tokenHash } from "../sign-in/token.ts";

export type VisitDeps = {
  readonly randomToken: () => string;
  /** Of the administrator who asks: the visit ends with it. */
  readonly signInToken?: string;
};

/** The ticket is given to its owner now and kept by nobody else. */
export type AskedVisit = { readonly visitId: VisitId; readonly ticket: string };

export type VisitWish = {
  readonly vmId: VmId;
  /** What is watched; a console without it. */
  readonly sessionId?: SessionId;
  /** Who will come, as the session's owner is told; left out while that isn't known. */
  readonly visitor?: string;
  readonly mayControl: boolean;
  readonly needsConsent: boolean;
  /** Of a console: over when the machine's person comes to it. */
  readonly isYielding?: boolean;
  readonly ticketSeconds: number;
};

export async function issueVisit(inside: Context, deps: VisitDeps, wish: VisitWish): Promise<AskedVisit> {
  const { ticketSeconds, sessionId, ...rest } = wish;
  const ticket = deps.randomToken();
  const what =
    sessionId === undefined
      ? ({ kind: "console", consoleKey: deps.randomToken() } as const)
      : ({ kind: "watch", sessionId } as const);
  const { actor } = inside;
  const visitId = await insertRow(inside.db, visits, {
    ...rest,
    ...what,
    ...(actor.kind === "administrator" ? { administratorId: actor.administratorId } : {}),
    ...(await readSignIn(inside, deps.signInToken)),
    askedBy: formatActor(inside.actor),
    ticketHash: tokenHash(ticket),
    // insertRow puts values in as parameters, and time comes from the database.
    ticketExpiresAt: await readDeadline(inside, ticketSeconds),
  });
  return { visitId: asId<VisitId>(visitId), ticket };
}

async function readSignIn({ db }: Context, token: string | undefined) {
  if (token === undefined) return {};
  const signInHash = tokenHash(token);
  const [row] = await db
    .select({ signInExpiresAt: administratorSessions.expiresAt })
    .from(administratorSessions)
    .where(eq(administratorSessions.tokenHash, signInHash));
  // Signed out meanwhile, in another tab.
  if (row === undefined) throw new AppError("not-signed-in", "Your sign-in is over");
  return { ...row, signInHash };
}

async function readDeadline({ db }: Context, seconds: number): Promise<Date> {
  const [row] = await db.execute<{ at: Date | string }>(
    sql`select qvd_now() + make_interval(secs => ${seconds}) as at`,
  );
  return new Date(row?.at ?? 0);
}
