/**
 * An administrator wants to see the screen of a virtual machine, as one who stands before it: from firmware to
 * sign-in, with or without our agent. The ticket is for the page on the clients' port.
 */

import { and, eq, isNotNull, isNull } from "drizzle-orm";
import { z } from "zod";
import { listSettings } from "../../db/queries/settings.ts";
import { osfs, sessions, vmReports } from "../../db/schema/index.ts";
import type { VmId } from "../../domain/ids.ts";
import { settingValues } from "../../domain/setting/resolve.ts";
import { AppError } from "../../lib/errors.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { auditVm } from "../vm/audit-vm.ts";
import { type FoundVm, findVmFor } from "../vm/find.ts";
import { type AskedVisit, issueVisit, type VisitDeps } from "./issue.ts";

export const openConsoleInput = z.object({ vmId: idField<VmId>() });

const TICKET_SECONDS = 60;

/**
 * Throws `conflict` where there is no screen: of a container, and of a machine that doesn't run. And where its person
 * works at it, who can't be asked there, unless site or tenant say that nobody has to be. Who comes later ends the visit.
 */
export async function openConsole(
  context: Context,
  deps: VisitDeps,
  input: z.input<typeof openConsoleInput>,
): Promise<AskedVisit> {
  const { vmId } = parseInput(openConsoleInput, input);
  return await change(context, { doing: `open the console of desktop ${vmId}` }, async (inside) => {
    const vm = await findVmFor(inside, "vm.open-console", vmId);
    await requireScreen(inside, vm);
    const isYielding = await mustAskPeople(inside, vm);
    if (isYielding) await requireNobodyThere(inside, vm);
    const asked = await issueVisit(inside, deps, {
      ...{ vmId, mayControl: true, needsConsent: false, isYielding, ticketSeconds: TICKET_SECONDS },
      visitor: inside.actor.kind === "administrator" ? inside.actor.login : "",
    });
    await auditVm(inside, "vm.open-console", { vm, detail: { visitId: asked.visitId } });
    return asked;
  });
}

async function requireScreen(inside: Context, vm: FoundVm): Promise<void> {
  const [row] = await inside.db
    .select({ hypervisor: osfs.hypervisor, state: vmReports.state })
    .from(osfs)
    .leftJoin(vmReports, eq(vmReports.vmId, vm.id))
    .where(eq(osfs.id, vm.osfId));
  const state = row?.state ?? "stopped";
  if (row?.hypervisor !== "kvm")
    throw new AppError(
      "conflict",
      `${vm.name} is a container, which has no console; its session can be watched`,
    );
  if (state === "stopped")
    throw new AppError("conflict", `${vm.name} is stopped; start it to see its console`);
}

async function mustAskPeople({ db }: Context, { tenantId }: FoundVm): Promise<boolean> {
  return settingValues(await listSettings(db, tenantId), tenantId)["vma.x11vnc.confirm.enabled"];
}

async function requireNobodyThere({ db }: Context, vm: FoundVm): Promise<void> {
  const [person] = await db
    .select({ id: sessions.id })
    .from(sessions)
    .where(
      and(
        eq(sessions.vmId, vm.id),
        eq(sessions.access, "console"),
        isNotNull(sessions.connectedAt),
        isNull(sessions.endedAt),
        isNull(sessions.supersededAt),
      ),
    );
  if (person !== undefined)
    throw new AppError(
      "conflict",
      `The person of ${vm.name} works at its console now, and can't be asked there; have them leave it, or end their session with \`qvd vm disconnect\``,
    );
}
