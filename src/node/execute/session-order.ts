/**
 * What a desktop is told of a sitting. A desktop that is started for one finds it beside its guest channel: its agent
 * begins with it before it is attached, and the order that comes later finds it done.
 */

import { chownSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { attemptDatabase } from "../../db/errors.ts";
import type { NodeDesktop } from "../../db/queries/node-desktops.ts";
import { readSessionParts } from "../../db/queries/session-parts.ts";
import { idRangeOf } from "../../domain/node/id-range.ts";
import { vmLayout } from "../../domain/node/layout.ts";
import { composeClientParameters } from "../../domain/session/client-parameters.ts";
import { accountUid } from "../../domain/vm/account.ts";
import { describeError } from "../../lib/errors.ts";
import { formatGuestMessage } from "../../wire/guest/messages.ts";
import type { LoopDeps } from "../deps.ts";
import type { PrepareRequest } from "../guest-channel/guest-channels.ts";
import { channelPlace } from "./desktop-spec.ts";

type SessionRow = NonNullable<NodeDesktop["session"]>;

/** Undefined of one that only looks at the machine's console. */
export async function composeSessionOrder(
  { db, settings }: Pick<LoopDeps, "db" | "settings">,
  { vmId, tenantId, user }: NodeDesktop,
  session: SessionRow,
): Promise<PrepareRequest | undefined> {
  const parts = await attemptDatabase(`read what session ${session.id} is made of`, () =>
    readSessionParts(db, { vmId, tenantId, sessionId: session.id }),
  );
  const { access } = parts;
  if (access === "console") return undefined;
  return {
    session: session.id,
    account: { login: user.login, uid: accountUid(user.id), fullName: user.fullName },
    client: composeClientParameters({ client: session.client, ...parts }),
    accept: settings.range.gateway,
    slaveKey: session.slaveKey,
    properties: parts.properties,
    parameters: parts.parameters,
    access,
    ...(parts.program === null ? {} : { program: parts.program }),
  };
}

/**
 * Leaves the order of a sitting that waits for a container's start where its agent looks for it. Never throws: without
 * it all goes on as with a desktop that runs. The desktop's root alone can read it.
 */
export async function leaveSessionOrder(
  deps: Pick<LoopDeps, "db" | "settings" | "log" | "earlySessions">,
  desktop: NodeDesktop,
): Promise<void> {
  const { vmId, session, osf } = desktop;
  const { channel, channelOrder, channelOrderScript, channelGate } = vmLayout(deps.settings.layout, vmId);
  try {
    mkdirSync(channel, { recursive: true, mode: 0o755 });
    for (const path of [channelOrder, channelOrderScript, channelGate]) rmSync(path, { force: true });
    const isWaiting = session?.state === "requested" || session?.state === "preparing";
    if (session === null || !isWaiting || osf.hypervisor === "kvm" || !osf.hasAgent) return;
    const order = await composeSessionOrder(deps, desktop, session);
    if (order === undefined) return;
    const script = deps.settings.renderOrderScript?.(order);
    const text = formatGuestMessage({ type: "session-prepare", order: 0, ...order });
    leave(deps, desktop, { path: channelOrder, text });
    if (script === undefined) return;
    const { ownerUid } = channelPlace(deps.settings, desktop);
    deps.earlySessions?.expect(vmId, { sessionId: session.id, gatePath: channelGate, ownerUid });
    leave(deps, desktop, { path: channelOrderScript, text: script });
  } catch (error) {
    deps.log.warn("session-order-not-left", { vmId, reason: describeError(error) });
  }
}

/** Whoever looks for it sees all of it or nothing. */
function leave(
  { settings }: Pick<LoopDeps, "settings">,
  { idSlot }: NodeDesktop,
  { path, text }: { readonly path: string; readonly text: string },
): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, text, { mode: 0o400 });
  const { first } = idRangeOf(settings.idRangeFirst, idSlot);
  chownSync(temporary, first, first);
  renameSync(temporary, path);
}
