/** Visits as brokers carry them, as owners of sessions see them, and what opens a console at its node. */

import { and, asc, eq, gt, inArray, isNotNull, isNull, like, lte, or, sql } from "drizzle-orm";
import type { NodeId, SessionId, VisitId, VmId } from "../../domain/ids.ts";
import { decideVisitEnd, type VisitEnd } from "../../domain/visit/decide-visit-end.ts";
import type { Db } from "../client.ts";
import { nodes, osfs, sessions, visits, vms } from "../schema/index.ts";
import type { VisitKind } from "../schema/visits.ts";
import { ASKER, factsOf, VISIT_FACTS } from "./visit-facts.ts";

export type CarriedVisit = {
  readonly id: VisitId;
  readonly kind: VisitKind;
  readonly vmId: VmId;
  readonly name: string;
  readonly mayControl: boolean;
  readonly isAdmitted: boolean;
  /** Why it is over, or must be now. */
  readonly end: VisitEnd | undefined;
  readonly session: {
    readonly id: SessionId;
    readonly address: string | null;
    readonly port: number | null;
    readonly slaveKey: string;
  } | null;
  /** The node that has the desktop. */
  readonly node: { readonly name: string; readonly address: string | null } | null;
};

export async function readVisit(db: Db, visitId: VisitId): Promise<CarriedVisit | undefined> {
  const [row] = await db
    .select({
      facts: VISIT_FACTS,
      id: visits.id,
      kind: visits.kind,
      vmId: visits.vmId,
      name: vms.name,
      mayControl: visits.mayControl,
      isAdmitted: sql<boolean>`${visits.admittedAt} is not null`,
      session: {
        id: sessions.id,
        address: sessions.address,
        port: sessions.port,
        slaveKey: sessions.slaveKey,
      },
      node: { name: nodes.name, address: nodes.address },
    })
    .from(visits)
    .innerJoin(vms, eq(vms.id, visits.vmId))
    .leftJoin(sessions, eq(sessions.id, visits.sessionId))
    .leftJoin(nodes, eq(nodes.id, vms.nodeId))
    .leftJoinLateral(ASKER, sql`true`)
    .where(eq(visits.id, visitId));
  if (row === undefined) return undefined;
  const { facts, ...visit } = row;
  return { ...visit, end: decideVisitEnd(factsOf(facts)) };
}

export type OpenVisit = {
  readonly id: VisitId;
  readonly sessionId: SessionId | null;
  readonly visitor: string | null;
  readonly mayControl: boolean;
  /** invited: nobody has come yet. asks: waits for the owner's word. watches: sees the session. */
  readonly phase: "invited" | "asks" | "watches";
};

/** Of one session. Whoever has many may hide none of another's, and invitations none of who is there. */
const MOST_SHOWN = 50;

const isOpenInvitation = and(like(visits.askedBy, "user:%"), gt(visits.ticketExpiresAt, sql`qvd_now()`));

/** Of those sessions, oldest first; invitations that nobody took in time are left out. */
export async function listOpenVisits(
  db: Db,
  sessionIds: readonly SessionId[],
): Promise<readonly OpenVisit[]> {
  if (sessionIds.length === 0) return [];
  const ranked = db
    .select({
      id: visits.id,
      sessionId: visits.sessionId,
      visitor: visits.visitor,
      mayControl: visits.mayControl,
      beganAt: visits.beganAt,
      admittedAt: visits.admittedAt,
      place:
        sql<number>`row_number() over (partition by ${visits.sessionId} order by ${visits.beganAt} is null, ${visits.id})`.as(
          "place",
        ),
    })
    .from(visits)
    .where(
      and(
        inArray(visits.sessionId, [...sessionIds]),
        isNull(visits.endedAt),
        // Who has an administrator's ticket and no page yet asks nobody.
        or(isNotNull(visits.beganAt), isOpenInvitation),
      ),
    )
    .as("ranked");
  const rows = await db.select().from(ranked).where(lte(ranked.place, MOST_SHOWN)).orderBy(asc(ranked.id));
  return rows.map(({ beganAt, admittedAt, place: _place, ...row }): OpenVisit => {
    if (beganAt === null) return { ...row, phase: "invited" };
    return { ...row, phase: admittedAt === null ? "asks" : "watches" };
  });
}

/** Invitations to that session that somebody may still take, or came by. */
export async function countInvitations(db: Db, sessionId: SessionId): Promise<number> {
  return await db.$count(
    visits,
    and(
      eq(visits.sessionId, sessionId),
      like(visits.askedBy, "user:%"),
      isNull(visits.endedAt),
      or(isNotNull(visits.beganAt), isOpenInvitation),
    ),
  );
}

/** Whether that key opens the console of that machine now: a visit's, or that of a user's own session. */
export async function mayOpenConsole(
  db: Db,
  of: { readonly nodeId: NodeId; readonly vmId: VmId; readonly key: string },
): Promise<boolean> {
  const here = and(eq(vms.id, of.vmId), eq(vms.nodeId, of.nodeId), eq(osfs.hypervisor, "kvm"));
  const [visit] = await db
    .select(VISIT_FACTS)
    .from(visits)
    .innerJoin(vms, eq(vms.id, visits.vmId))
    .innerJoin(osfs, eq(osfs.id, vms.osfId))
    .leftJoin(sessions, eq(sessions.id, visits.sessionId))
    .leftJoinLateral(ASKER, sql`true`)
    .where(and(here, eq(visits.consoleKey, of.key), isNotNull(visits.beganAt)));
  if (visit !== undefined) return decideVisitEnd(factsOf(visit)) === undefined;
  const [session] = await db
    .select({ id: sessions.id })
    .from(sessions)
    .innerJoin(vms, eq(vms.id, sessions.vmId))
    .innerJoin(osfs, eq(osfs.id, vms.osfId))
    .where(
      and(
        here,
        eq(osfs.offersConsole, true),
        eq(sessions.userId, vms.userId),
        eq(sessions.access, "console"),
        eq(sessions.slaveKey, of.key),
        eq(sessions.state, "listening"),
        isNull(sessions.endedAt),
        isNull(sessions.supersededAt),
      ),
    );
  return session !== undefined;
}
