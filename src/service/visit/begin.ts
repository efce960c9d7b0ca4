/** Whoever brings a visit's ticket begins it: once, in time, and an invited person as a user of the same tenant. */

import { and, eq, gt, isNull, sql } from "drizzle-orm";
import { visits, vms } from "../../db/schema/index.ts";
import type { UserActor } from "../../domain/access/actor.ts";
import type { VisitId } from "../../domain/ids.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { tokenHash } from "../sign-in/token.ts";
import { auditVm } from "../vm/audit-vm.ts";

const MOST_TICKET = 128;

export type BroughtTicket = {
  readonly ticket: string;
  /** Who is signed in where it was brought; administrators' tickets need nobody. */
  readonly person?: UserActor | undefined;
};

/** Undefined when the ticket opens nothing for that person. The context's actor is the program (`system`). */
export async function beginVisit(
  context: Context,
  { ticket, person }: BroughtTicket,
): Promise<VisitId | undefined> {
  authorize(context, "visit.begin", { what: "a visit" });
  if (ticket === "" || ticket.length > MOST_TICKET) return undefined;
  return await change(context, { doing: "begin a visit" }, async (inside) => {
    const [found] = await inside.db
      .select({ visit: visits, vm: { id: vms.id, tenantId: vms.tenantId, name: vms.name } })
      .from(visits)
      .innerJoin(vms, eq(vms.id, visits.vmId))
      .where(
        and(
          eq(visits.ticketHash, tokenHash(ticket)),
          gt(visits.ticketExpiresAt, sql`qvd_now()`),
          isNull(visits.endedAt),
        ),
      )
      .for("update", { of: visits });
    if (found === undefined) return undefined;
    const { visit, vm } = found;
    const isInvitation = visit.askedBy.startsWith("user:");
    if (isInvitation && person?.tenantId !== vm.tenantId) return undefined;
    const visitor = isInvitation && person !== undefined ? person.login : (visit.visitor ?? "");
    await inside.db
      .update(visits)
      .set({
        ...{ ticketHash: null, beganAt: sql`qvd_now()`, visitor },
        ...(visit.needsConsent ? {} : { admittedAt: sql`qvd_now()` }),
      })
      .where(eq(visits.id, visit.id));
    const detail = { visitId: visit.id, askedBy: visit.askedBy, visitor };
    await auditVm({ ...inside, actor: person ?? inside.actor }, "visit.begin", { vm, detail });
    return visit.id;
  });
}
