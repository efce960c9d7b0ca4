/** From a ready session to a running one: claims the sitting, connects to the desktop, sends the 101. */

import { AppError } from "../lib/errors.ts";
import { formatProgress, formatSwitching } from "../wire/client/answer.ts";
import { explainUnreached } from "./explain-unreached.ts";
import type { BrokerLimits } from "./limits.ts";
import type { LiveSessions } from "./live-sessions.ts";
import { reach } from "./reach.ts";
import type { Recorder } from "./record.ts";
import type { BoxIdentity } from "./relay/box-proof.ts";
import type { ReadySession } from "./request.ts";
import { type PipeContext, SessionPipe } from "./session-pipe.ts";
import { type OwnedSocket, tuneSocket } from "./socket.ts";
import type { BrokerStore } from "./store.ts";

export type UpgradeDeps = {
  readonly store: BrokerStore;
  readonly sessions: LiveSessions;
  readonly recorder: Recorder;
  readonly limits: BrokerLimits;
  readonly pipes: PipeContext;
  readonly identity?: BoxIdentity | undefined;
};

export type HandedOver = {
  readonly socket: OwnedSocket;
  /** What the socket didn't take yet. */
  readonly unsent: readonly Uint8Array[];
  /** What the client sent after its head. */
  readonly early: readonly Uint8Array[];
};

export type Upgrading = {
  readonly session: ReadySession;
  readonly clientAddress: string;
  readonly signal: AbortSignal;
  /** Gives the client's socket; undefined when the client left. */
  readonly handOver: () => HandedOver | undefined;
};

/** Resolves when the pipe runs; throws an AppError when it can't, with the sitting ended. */
export async function upgrade(deps: UpgradeDeps, upgrading: Upgrading): Promise<void> {
  const { session, signal } = upgrading;
  try {
    if (!(await deps.store.recordConnected(session.id)))
      throw new AppError("superseded", "Another client has taken over this session");
    if (signal.aborted) throw new AppError("unavailable", "The client left");
    await reach(deps, session, {
      timeoutMs: deps.limits.upgradeMs,
      take: (desktop) => join(deps, upgrading, desktop),
    });
  } catch (error) {
    const cause = signal.aborted ? "client-left" : "connect-failed";
    deps.recorder.ended(session.id, { cause, bytesToClient: 0, bytesFromClient: 0 });
    throw await explainUnreached(deps.store, session.vmId, error);
  }
}

/** Puts the pipe in place of both sockets' owners; false when the client left meanwhile. */
function join(
  deps: UpgradeDeps,
  { session, clientAddress, handOver }: Upgrading,
  desktop: OwnedSocket,
): boolean {
  const client = handOver();
  if (client === undefined) return false;
  tuneSocket(desktop);
  const { id, vmId } = session;
  const pipe = new SessionPipe(deps.pipes, { id, vmId, clientAddress, client: client.socket, desktop });
  deps.sessions.add(pipe);
  // A newer client that came since the claim woke nobody: this sitting was not among the living yet.
  deps.sessions.notify(vmId);
  const answer = [formatProgress("Connection established"), formatSwitching(session.slaveKey)];
  pipe.begin([...client.unsent, ...answer], client.early);
  return true;
}
