/**
 * From a ready session to a running one: claims the sitting, connects to the desktop, sends the 101 and
 * joins the two sockets. The desktop's port is connected to once and only when the client is still there:
 * a probe would end the session inside.
 */

import { AppError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { formatProgress, formatSwitching } from "../wire/client/answer.ts";
import type { BrokerLimits } from "./limits.ts";
import type { LiveSessions } from "./live-sessions.ts";
import type { Recorder } from "./record.ts";
import type { ReadySession } from "./request.ts";
import { SessionPipe } from "./session-pipe.ts";
import { type OwnedSocket, SOCKET_HANDLERS, type SocketOwner, tuneSocket } from "./socket.ts";
import type { BrokerStore } from "./store.ts";

export type UpgradeDeps = {
  readonly store: BrokerStore;
  readonly sessions: LiveSessions;
  readonly recorder: Recorder;
  readonly limits: BrokerLimits;
  readonly log: Log;
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
  readonly signal: AbortSignal;
  /** Gives the client's socket; undefined when the client left. */
  readonly handOver: () => HandedOver | undefined;
  readonly onEnded: () => void;
};

/** Resolves when the pipe runs; throws an AppError when it can't, with the sitting ended. */
export async function upgrade(deps: UpgradeDeps, upgrading: Upgrading): Promise<void> {
  const { session } = upgrading;
  const fail = (cause: string) =>
    deps.recorder.ended(session.id, { cause, bytesToClient: 0, bytesFromClient: 0 });
  try {
    if (!(await deps.store.recordConnected(session.id)))
      throw new AppError("superseded", "Another client has taken over this session");
    if (upgrading.signal.aborted) throw new AppError("unavailable", "The client left");
    await connectDesktop(deps, upgrading);
  } catch (error) {
    fail(upgrading.signal.aborted ? "client-left" : "connect-failed");
    throw error;
  }
}

async function connectDesktop(deps: UpgradeDeps, upgrading: Upgrading): Promise<void> {
  const { address, port, vmId } = upgrading.session;
  const opened = Promise.withResolvers<void>();
  const timer = setTimeout(() => opened.reject(new Error("no answer in time")), deps.limits.upgradeMs);
  const waiting: SocketOwner = {
    onData: () => {},
    onDrain: () => {},
    onEnd: () => {},
    onClose: () => opened.reject(new Error("closed before the session began")),
    onHandshake: () => {},
  };
  const connecting = Bun.connect<SocketOwner>({
    hostname: address,
    port,
    allowHalfOpen: true,
    data: waiting,
    socket: {
      ...SOCKET_HANDLERS,
      open: (socket) => {
        // Here and not after an await: bytes that the desktop sends at once must find their pipe.
        if (join(deps, upgrading, socket)) opened.resolve();
        else socket.end();
      },
    },
  });
  try {
    await Promise.race([opened.promise, connecting.then(() => opened.promise)]);
  } catch (cause) {
    connecting
      .then((socket) => socket.terminate())
      .catch(() => {
        // It never opened, so there is nothing to end.
      });
    throw new AppError("unavailable", `The session of virtual machine ${vmId} can't be reached`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** Puts the pipe in place of both sockets' owners; false when the client left meanwhile. */
function join(deps: UpgradeDeps, upgrading: Upgrading, desktopSocket: OwnedSocket): boolean {
  const client = upgrading.handOver();
  if (client === undefined) return false;
  const { session } = upgrading;
  const pipe = new SessionPipe(client.socket, desktopSocket, {
    halfOpenMs: deps.limits.halfOpenMs,
    onEnded: (end) => {
      deps.sessions.remove(session.id);
      deps.recorder.ended(session.id, end);
      upgrading.onEnded();
    },
  });
  tuneSocket(desktopSocket);
  deps.sessions.add({ id: session.id, vmId: session.vmId, end: (cause) => pipe.end(cause) });
  const answer = [formatProgress("Connection established"), formatSwitching(session.slaveKey)];
  pipe.begin([...client.unsent, ...answer], client.early);
  return true;
}
