/**
 * An administrator wants to see the session that somebody has open in a browser, or to help in it. The person is asked,
 * unless the site or the tenant says otherwise (`vma.x11vnc.confirm.enabled`), and is shown who watches in any case.
 */

import { z } from "zod";
import { listSettings } from "../../db/queries/settings.ts";
import type { VmId } from "../../domain/ids.ts";
import { settingValues } from "../../domain/setting/resolve.ts";
import { AppError } from "../../lib/errors.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { auditVm } from "../vm/audit-vm.ts";
import { findVmFor } from "../vm/find.ts";
import { findWatched } from "./find-watched.ts";
import { type AskedVisit, issueVisit, type VisitDeps } from "./issue.ts";

export const askToWatchInput = z.object({ vmId: idField<VmId>(), mayControl: z.boolean().default(false) });

const TICKET_SECONDS = 60;

/** Throws `conflict` when nobody sits there by browser. */
export async function askToWatch(
  context: Context,
  deps: VisitDeps,
  input: z.input<typeof askToWatchInput>,
): Promise<AskedVisit> {
  const { vmId, mayControl } = parseInput(askToWatchInput, input);
  const action = mayControl ? "session.control" : "session.watch";
  return await change(context, { doing: `watch the session of desktop ${vmId}` }, async (inside) => {
    const vm = await findVmFor(inside, action, vmId);
    const sessionId = await findWatched(inside, vmId);
    if (sessionId === undefined)
      throw new AppError(
        "conflict",
        `Nobody has ${vm.name} open in a browser now; only such sessions can be watched. Opening it there takes it over from a client, with its windows`,
      );
    const values = settingValues(await listSettings(inside.db, vm.tenantId), vm.tenantId);
    const needsConsent = values["vma.x11vnc.confirm.enabled"];
    const asked = await issueVisit(inside, deps, {
      ...{ vmId, sessionId, mayControl, needsConsent, ticketSeconds: TICKET_SECONDS },
      visitor:
        inside.actor.kind === "administrator" ? `Administrator ${inside.actor.login}` : "An administrator",
    });
    await auditVm(inside, action, { vm, detail: { visitId: asked.visitId, sessionId, needsConsent } });
    return asked;
  });
}
