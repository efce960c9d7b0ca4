/** Somebody at their desktop invites another person of their tenant to see it, or to work in it with them. */

import { z } from "zod";
import { countInvitations } from "../../db/queries/visits.ts";
import type { VmId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { auditVm } from "../vm/audit-vm.ts";
import { findVmFor } from "../vm/find.ts";
import { findWatched } from "./find-watched.ts";
import { type AskedVisit, issueVisit, type VisitDeps } from "./issue.ts";

export const inviteInput = z.object({ vmId: idField<VmId>(), mayControl: z.boolean().default(false) });

/** Time to send a link and to have it opened. */
const TICKET_SECONDS = 600;

/** At one session: those who came, and links that still wait for somebody. */
const MOST_INVITATIONS = 8;

/** Throws `conflict` when they don't sit there by browser, or invited too many. Whoever has the ticket, of that tenant, may come once. */
export async function inviteVisitor(
  context: Context,
  deps: VisitDeps,
  input: z.input<typeof inviteInput>,
): Promise<AskedVisit> {
  const { vmId, mayControl } = parseInput(inviteInput, input);
  return await change(context, { doing: `invite somebody to desktop ${vmId}` }, async (inside) => {
    const vm = await findVmFor(inside, "session.invite", vmId);
    const sessionId = await findWatched(inside, vmId);
    if (sessionId === undefined)
      throw new AppError("conflict", "You don't have this desktop open in a browser now");
    // The row of the desktop is locked, so no two invitations are counted at once.
    if ((await countInvitations(inside.db, sessionId)) >= MOST_INVITATIONS)
      throw new AppError(
        "conflict",
        `You have invited ${MOST_INVITATIONS} people to ${vm.name}, and no more can come; end one of these visits, or wait until a link has expired`,
      );
    const asked = await issueVisit(inside, deps, {
      ...{ vmId, sessionId, mayControl, needsConsent: false, ticketSeconds: TICKET_SECONDS },
    });
    await auditVm(inside, "session.invite", {
      vm,
      detail: { visitId: asked.visitId, sessionId, mayControl },
    });
    return asked;
  });
}
