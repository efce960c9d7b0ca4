/** Whoever brings a visit's ticket begins it: once, in time, and an invited person as a user of the same tenant. */

import { and, eq, gt, isNull, sql } from "drizzle-orm";
import { visits, vms } from "../../db/schema/index.ts";
import type { VisitId } from "../../domain/ids.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { tokenHash } from "../sign-in/token.ts";
import { auditVm } from "../vm/audit-vm.ts";

const MOST_TICKET = 128;

/**
 * Undefined when the ticket opens nothing. The context's actor is the person where one is signed in by browser, else
 * the program (`system`); a ticket that an administrator was given needs nobody signed in on this port.
 */
export async function beginVisit(context: Context, ticket: string): Promise<VisitId | undefined> {
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
    const { actor } = inside;
    const isInvitation = visit.askedBy.startsWith("user:");
    if (isInvitation && (actor.kind !== "user" || actor.tenantId !== vm.tenantId)) return undefined;
    authorize({ ...inside, actor: { kind: "system", what: "broker" } }, "visit.begin", {
      what: `visit ${visit.id}`,
    });
    const visitor = isInvitation && actor.kind === "user" ? actor.login : (visit.visitor ?? "");
    await inside.db
      .update(visits)
      .set({
        ...{ ticketHash: null, beganAt: sql`qvd_now()`, visitor },
        ...(visit.needsConsent ? {} : { admittedAt: sql`qvd_now()` }),
      })
      .where(eq(visits.id, visit.id));
    await auditVm(inside, "visit.begin", {
      vm,
      detail: { visitId: visit.id, askedBy: visit.askedBy, visitor },
    });
    return visit.id;
  });
}
