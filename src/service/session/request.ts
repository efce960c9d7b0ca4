/**
 * A client wants to sit down at a desktop. The verb records that, together with the wish that the desktop run,
 * and commands nobody: the desktop's node reads the row. A newer client takes over from an older one, whose
 * broker sees its row superseded. Rights are checked before anything is written.
 */

import { z } from "zod";
import { attemptDatabase } from "../../db/errors.ts";
import { SESSION_ACCESSES } from "../../db/schema/sessions.ts";
import type { NodeId, SessionId, VmId } from "../../domain/ids.ts";
import { AppError, invariant } from "../../lib/errors.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { findVmFor, noSuchVm } from "../vm/find.ts";
import { isNewWish } from "../vm/record-wish.ts";
import { refuseBlocked } from "../vm/refuse-blocked.ts";
import { type AskedVm, readAskedVm, recordRequest } from "./record-request.ts";

export const requestSessionInput = z.object({
  vmId: idField<VmId>(),
  client: z.object({
    keyboard: z.string().max(80),
    os: z.string().max(32),
    link: z.string().max(32),
    geometry: z.string().max(32),
    isFullscreen: z.boolean(),
    given: z.record(z.string().max(128), z.string().max(256)).optional(),
  }),
  /** What shows the desktop. */
  access: z.enum(SESSION_ACCESSES).default("nx"),
  /** What an authenticator gives the desktop. */
  parameters: z
    .record(
      z
        .string()
        .regex(/^qvd\./)
        .max(128),
      z.string().max(1024),
    )
    .default({}),
  slaveKey: z.string().min(1).max(128),
  clientAddress: z.string().max(64).optional(),
  brokerNodeId: idField<NodeId>().optional(),
  brokerWorker: z.string().min(1).max(64),
});

export type RequestedSession = {
  readonly sessionId: SessionId;
  /** Of the trail's `session-requested`: progress is what comes after it. */
  readonly eventId: number;
  readonly wishGeneration: number;
  /** A node has the desktop. */
  readonly isPlaced: boolean;
  /** True when the desktop has to be started for this. */
  readonly isStarting: boolean;
  /** The sitting that this one took over from. */
  readonly supersededId: SessionId | undefined;
};

/** Whoever comes at the same moment as another goes the slower way, with the desktop's row taken first. */
export async function requestSession(
  context: Context,
  input: z.input<typeof requestSessionInput>,
): Promise<RequestedSession> {
  const asked = parseInput(requestSessionInput, input);
  const { vmId } = asked;
  const doing = `connect to desktop ${vmId}`;
  const requested = await attemptDatabase(doing, () => attempt(context, asked));
  if (requested !== undefined) return requested;
  return await change(context, { doing }, async (inside) => {
    await findVmFor(inside, "session.request", vmId);
    const second = await attempt(inside, asked);
    invariant(second !== undefined, `desktop ${vmId} stays as it is while its row is taken`);
    return second;
  });
}

async function attempt(
  context: Context,
  asked: z.output<typeof requestSessionInput>,
): Promise<RequestedSession | undefined> {
  const { vmId, access } = asked;
  const vm = await readAskedVm(context.db, vmId);
  if (vm === undefined) throw noSuchVm();
  const { tenantId, userId: ownerId, wishGeneration } = vm;
  authorize(context, "session.request", { what: `desktop ${vmId}`, tenantId, ownerId, vmId });
  // The proof of who somebody is may be older than the word that they are blocked.
  if (vm.isOwnerBlocked)
    throw new AppError("forbidden", "You are not allowed to access requested virtual machine");
  refuseBlocked(vm);
  if (access === "console") requireConsole(vm);
  const isStarting = isNewWish(vm, "running");
  const request = { ...asked, text: ASKED[access], isNewWish: isStarting };
  const recorded = await recordRequest(context, vm, request);
  if (recorded === undefined) return undefined;
  return {
    sessionId: recorded.sessionId,
    eventId: recorded.eventId,
    wishGeneration: isStarting ? wishGeneration + 1 : wishGeneration,
    isPlaced: vm.nodeId !== null,
    isStarting,
    supersededId: recorded.supersededId ?? undefined,
  };
}

const ASKED = {
  nx: "A client asked for a session.",
  browser: "A browser asked for a session.",
  console: "A browser asked for the console.",
} as const;

/** The screen of a machine shows all that happens on it, so its OSF says whether people work there. */
function requireConsole({ hypervisor, offersConsole }: AskedVm): void {
  if (hypervisor !== "kvm" || !offersConsole)
    throw new AppError("forbidden", "The console of this desktop is not offered to you");
}
