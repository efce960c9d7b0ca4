/**
 * The QVD port of one worker. Several workers listen on the same port; the kernel spreads connections. Each
 * connection is watched for its phase's deadline until a pipe has it.
 *
 * Where balancers are listed, connections are taken as plain TCP: one of theirs gives its header first (see
 * proxy-front.ts), any other begins its TLS at once, in the same socket.
 */

import { type Balancers, plainAddress } from "./balancers.ts";
import { Connection, type ConnectionDeps } from "./connection.ts";
import { Arrival, beginTls, type RawSocket } from "./proxy-arrival.ts";
import { ProxyFront } from "./proxy-front.ts";
import { type OwnedSocket, SOCKET_HANDLERS, type SocketOwner, tuneSocket } from "./socket.ts";
import { type BrokerTls, isAdmitted, tlsOptions } from "./tls/broker-tls.ts";

export type ListenOptions = BrokerTls & {
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Who says in a header whose connection it is; undefined: nobody does. */
  readonly balancers?: Balancers | undefined;
};

export type Listening = {
  readonly port: number;
  /** Connections and sessions that are open. */
  readonly openCount: () => number;
  /** New connections get these from now on; what is open goes on. Throws, and nothing has changed, when they are no good. */
  readonly renew: (tls: BrokerTls) => void;
  /** Takes no new connection and no further request; sessions go on. */
  readonly drain: () => void;
  /** Drops everything. */
  readonly stop: () => void;
};

const SWEEP_MS = 1_000;

type ListenDeps = Omit<ConnectionDeps, "onGone" | "onHandedOver" | "onGatewayEnded" | "pipes" | "relayPipes">;

/** Of a connection that is no pipe yet. */
type Talking = { readonly expire: (nowMs: number) => void; readonly drain: () => void };

export function listen(deps: ListenDeps, options: ListenOptions): Listening {
  const talking = new Set<Talking>();
  let openCount = 0;
  const leave = (one: Talking) => {
    talking.delete(one);
    openCount--;
  };
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
    onGatewayEnded: () => {
      openCount--;
    },
    onHandedOver: (connection) => talking.delete(connection),
    onGone: leave,
  };
  const welcome = (socket: OwnedSocket) => {
    openCount++;
    const connection = new Connection(connectionDeps, socket);
    socket.data = connection;
    talking.add(connection);
    tuneSocket(socket);
    if (openCount > deps.limits.connections) socket.terminate();
  };
  const open = (tls: BrokerTls, port: number): Door => {
    const handlers = {
      ...SOCKET_HANDLERS,
      open: (socket: OwnedSocket) => {
        Arrival.giveAddress(socket);
        welcome(socket);
      },
      // Its presence makes `open` come before the handshake, so that silent clients are seen at all.
      handshake: (socket: OwnedSocket, isSecure: boolean) =>
        socket.data.onHandshake(isSecure && isAdmitted(socket, tls)),
    };
    const at = { hostname: options.address, port };
    const { balancers } = options;
    if (balancers === undefined) return openTlsDoor(at, tls, handlers);
    return openPlainDoor(at, (raw) => {
      const address = plainAddress(raw.remoteAddress);
      const proceed = (clientAddress: string, rest: Uint8Array) =>
        beginTls(raw, { tls: tlsOptions(tls), handlers, arrival: new Arrival(clientAddress), rest });
      if (!balancers.has(address)) return proceed(address, new Uint8Array());
      openCount++;
      const front = new ProxyFront(raw, address, {
        timeoutMs: deps.limits.handshakeMs,
        log: deps.log,
        onGone: leave,
        onHeader: (clientAddress, rest) => {
          leave(front);
          proceed(clientAddress, rest);
        },
      });
      raw.data = front;
      talking.add(front);
      if (openCount > deps.limits.connections) raw.terminate();
    });
  };
  let door = open(options, options.port);
  const { port } = door;
  const sweep = setInterval(() => {
    const nowMs = performance.now();
    for (const one of talking) one.expire(nowMs);
  }, SWEEP_MS);
  return {
    port,
    openCount: () => openCount,
    renew: (tls) => {
      // Both listen for a moment, so that nobody who comes in between is turned away.
      const next = open(tls, port);
      door.stop(false);
      door = next;
    },
    drain: () => {
      door.stop(false);
      for (const one of [...talking]) one.drain();
      deps.gateway?.drain();
    },
    stop: () => {
      clearInterval(sweep);
      door.stop(true);
      deps.gateway?.stop();
    },
  };
}

type Door = Pick<Bun.TCPSocketListener, "port" | "stop">;
type Place = { readonly hostname: string; readonly port: number };
type TlsHandlers = Bun.SocketHandler<SocketOwner>;

function openTlsDoor(at: Place, tls: BrokerTls, socket: TlsHandlers): Door {
  // `reusePort` is missing in Bun's types, which only complain about literals.
  const socketOptions = { ...at, reusePort: true, allowHalfOpen: true, tls: tlsOptions(tls), socket };
  return Bun.listen<SocketOwner>(socketOptions);
}

function openPlainDoor(at: Place, onOpen: (raw: RawSocket) => void): Door {
  const socketOptions = {
    ...at,
    reusePort: true,
    allowHalfOpen: true,
    socket: {
      open: onOpen,
      // After TLS has begun these see its records too, which are nobody's here.
      data: (raw: RawSocket, chunk: Uint8Array) => raw.data?.onData?.(chunk),
      end: (raw: RawSocket) => raw.data?.onEnd?.(),
      close: (raw: RawSocket) => raw.data?.onClose?.(),
      error: () => {},
    },
  };
  return Bun.listen<ProxyFront | undefined>(socketOptions);
}
