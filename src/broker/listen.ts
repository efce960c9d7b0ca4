/**
 * The QVD port of one worker. Several workers listen on the same port; the kernel spreads connections. Each
 * connection is watched for its phase's deadline until a pipe has it.
 */

import { Connection, type ConnectionDeps } from "./connection.ts";
import { type OwnedSocket, SOCKET_HANDLERS, type SocketOwner, tuneSocket } from "./socket.ts";

export type ListenOptions = {
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tlsKey: string;
  readonly tlsCertificate: string;
};

export type Listening = {
  readonly port: number;
  /** Connections and sessions that are open. */
  readonly openCount: () => number;
  /** Takes no new connection and no further request; sessions go on. */
  readonly drain: () => void;
  /** Drops everything. */
  readonly stop: () => void;
};

const SWEEP_MS = 1_000;

type ListenDeps = Omit<ConnectionDeps, "onGone" | "onHandedOver" | "pipes" | "relayPipes">;

export function listen(deps: ListenDeps, options: ListenOptions): Listening {
  const talking = new Set<Connection>();
  let openCount = 0;
  const connectionDeps: ConnectionDeps = {
    ...deps,
    pipes: {
      halfOpenMs: deps.limits.halfOpenMs,
      onEnded: (sessionId, end) => {
        openCount--;
        deps.sessions.remove(sessionId);
        deps.recorder.ended(sessionId, end);
      },
    },
    relayPipes: {
      halfOpenMs: deps.limits.halfOpenMs,
      onEnded: () => {
        openCount--;
      },
    },
    onHandedOver: (connection) => talking.delete(connection),
    onGone: (connection) => {
      talking.delete(connection);
      openCount--;
    },
  };
  // `reusePort` is missing in Bun's types, which only complain about literals.
  const socketOptions = {
    hostname: options.address,
    port: options.port,
    reusePort: true,
    allowHalfOpen: true,
    tls: { key: options.tlsKey, cert: options.tlsCertificate },
    socket: {
      ...SOCKET_HANDLERS,
      open: (socket: OwnedSocket) => {
        openCount++;
        const connection = new Connection(connectionDeps, socket);
        socket.data = connection;
        talking.add(connection);
        tuneSocket(socket);
        if (openCount > deps.limits.connections) socket.terminate();
      },
      // Its presence makes `open` come before the handshake, so that silent clients are seen at all.
      handshake: (socket: OwnedSocket, isSecure: boolean) => socket.data.onHandshake(isSecure),
    },
  };
  const server = Bun.listen<SocketOwner>(socketOptions);
  const sweep = setInterval(() => {
    const nowMs = performance.now();
    for (const connection of talking) connection.expire(nowMs);
  }, SWEEP_MS);
  return {
    port: server.port,
    openCount: () => openCount,
    drain: () => {
      server.stop(false);
      for (const connection of [...talking]) connection.drain();
    },
    stop: () => {
      clearInterval(sweep);
      server.stop(true);
    },
  };
}
