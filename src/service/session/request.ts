/**
 * A client wants to sit down at a desktop. The verb records that, together with the wish that the desktop run,
 * and commands nobody: the desktop's node reads the row. A newer client takes over from an older one, whose
 * broker sees its row superseded. Rights are checked before anything is written.
 */

import { and, eq, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { insertRow } from "../../db/insert.ts";
import { osfs, sessions, tenants, users } from "../../db/schema/index.ts";
import { SESSION_ACCESSES } from "../../db/schema/sessions.ts";
import { asId, type NodeId, type SessionId, type VmId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { appendTrail } from "../trail.ts";
import { auditVm } from "../vm/audit-vm.ts";
import { type FoundVm, findVmFor } from "../vm/find.ts";
import { recordWish } from "../vm/record-wish.ts";
import { refuseBlocked } from "../vm/refuse-blocked.ts";

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

export async function requestSession(
  context: Context,
  input: z.input<typeof requestSessionInput>,
): Promise<RequestedSession> {
  const { vmId, ...asked } = parseInput(requestSessionInput, input);
  return await change(context, { doing: `connect to desktop ${vmId}` }, async (inside) => {
    const vm = await findVmFor(inside, "session.request", vmId);
    await refuseBlockedOwner(inside, vm);
    refuseBlocked(vm);
    if (asked.access === "console") await requireConsole(inside, vm);
    const supersededId = await supersedeLive(inside, vm);
    const sessionId = asId<SessionId>(
      await insertRow(inside.db, sessions, { vmId, userId: vm.userId, ...omitUndefined(asked) }),
    );
    const eventId = await appendTrail(inside, {
      vmId,
      code: "session-requested",
      text: ASKED[asked.access],
      wishGeneration: vm.wishGeneration,
      detail: { sessionId, clientAddress: asked.clientAddress ?? null, access: asked.access },
    });
    const wish = await recordWish(inside, vm, { wish: "running", text: "Asked to start, for a session." });
    // What a console shows, a session doesn't.
    const more = asked.access === "console" ? { access: asked.access } : {};
    await auditVm(inside, "session.request", { vm, detail: { sessionId, ...more } });
    const isPlaced = vm.nodeId !== null;
    return {
      sessionId,
      eventId,
      isPlaced,
      wishGeneration: wish.generation,
      isStarting: wish.isNew,
      supersededId,
    };
  });
}

const ASKED = {
  nx: "A client asked for a session.",
  browser: "A browser asked for a session.",
  console: "A browser asked for the console.",
} as const;

/** The screen of a machine shows all that happens on it, so its OSF says whether people work there. */
async function requireConsole(inside: Context, vm: FoundVm): Promise<void> {
  const [osf] = await inside.db
    .select({ hypervisor: osfs.hypervisor, offersConsole: osfs.offersConsole })
    .from(osfs)
    .where(eq(osfs.id, vm.osfId));
  if (osf?.hypervisor !== "kvm" || !osf.offersConsole)
    throw new AppError("forbidden", "The console of this desktop is not offered to you");
}

/** The proof of who somebody is may be older than the word that they are blocked. */
async function refuseBlockedOwner(inside: Context, vm: FoundVm): Promise<void> {
  const [owner] = await inside.db
    .select({ isUserBlocked: users.isBlocked, isTenantBlocked: tenants.isBlocked })
    .from(users)
    .innerJoin(tenants, eq(tenants.id, users.tenantId))
    .where(eq(users.id, vm.userId));
  if (owner === undefined || owner.isUserBlocked || owner.isTenantBlocked) {
    throw new AppError("forbidden", "You are not allowed to access requested virtual machine");
  }
}

/** At most one row: the index `sessions_live` and the lock on the desktop see to it. */
async function supersedeLive(inside: Context, vm: FoundVm): Promise<SessionId | undefined> {
  const [older] = await inside.db
    .update(sessions)
    .set({ supersededAt: sql`qvd_now()` })
    .where(and(eq(sessions.vmId, vm.id), isNull(sessions.endedAt), isNull(sessions.supersededAt)))
    .returning({ id: sessions.id });
  if (older === undefined) return undefined;
  await appendTrail(inside, {
    vmId: vm.id,
    code: "session-superseded",
    text: "A newer client takes the session over.",
    wishGeneration: vm.wishGeneration,
    detail: { sessionId: older.id },
  });
  return older.id;
}

function omitUndefined<T extends { clientAddress?: string | undefined; brokerNodeId?: NodeId | undefined }>(
  asked: T,
) {
  const { clientAddress, brokerNodeId, ...rest } = asked;
  return { ...rest, clientAddress: clientAddress ?? null, brokerNodeId: brokerNodeId ?? null };
}
