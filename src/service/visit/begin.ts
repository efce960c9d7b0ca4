/** Whoever brings a visit's ticket begins it: once, in time, and an invited person as a user of the same tenant. */

import { eq, sql } from "drizzle-orm";
import { vms } from "../../db/schema/index.ts";
import type { UserActor } from "../../domain/access/actor.ts";
import { asId, type VisitId, type VmId } from "../../domain/ids.ts";
import { invariant } from "../../lib/errors.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { auditVm } from "../vm/audit-vm.ts";

const MOST_TICKET = 128;

export type BroughtTicket = {
  readonly ticket: string;
  /** Who is signed in where it was brought; administrators' tickets need nobody. */
  readonly person?: UserActor | undefined;
};

export type BegunVisit = {
  readonly visitId: VisitId;
  /** Opens the console at its node; told here and nowhere else. */
  readonly consoleKey: string | undefined;
};

type Row = {
  readonly id: number | string;
  readonly vm_id: number;
  readonly asked_by: string;
  readonly visitor: string;
  readonly console_key: string | null;
};

/**
 * Undefined when the ticket opens nothing for that person. The context's actor is the program (`system`). The database's
 * own function looks at the ticket: a broker's role can begin nothing that nobody brought it.
 */
export async function beginVisit(
  context: Context,
  { ticket, person }: BroughtTicket,
): Promise<BegunVisit | undefined> {
  authorize(context, "visit.begin", { what: "a visit" });
  if (ticket === "" || ticket.length > MOST_TICKET) return undefined;
  return await change(context, { doing: "begin a visit" }, async (inside) => {
    const [begun] = await inside.db.execute<Row>(
      sql`select * from qvd_begin_visit(${ticket}, ${person?.userId ?? null}::int)`,
    );
    if (begun === undefined) return undefined;
    const visitId = asId<VisitId>(Number(begun.id));
    const vmId = asId<VmId>(begun.vm_id);
    const [vm] = await inside.db
      .select({ id: vms.id, tenantId: vms.tenantId, name: vms.name })
      .from(vms)
      .where(eq(vms.id, vmId));
    invariant(vm !== undefined, "a visit goes with its desktop");
    const detail = { visitId, askedBy: begun.asked_by, visitor: begun.visitor };
    await auditVm({ ...inside, actor: person ?? inside.actor }, "visit.begin", { vm, detail });
    return { visitId, consoleKey: begun.console_key ?? undefined };
  });
}
