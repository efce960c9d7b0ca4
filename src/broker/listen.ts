/**
 * The QVD port of one worker. Several workers listen on the same port; the kernel spreads connections, and visitors.ts looks
 * after them.
 *
 * Where balancers are listed, connections are taken as plain TCP: one of theirs gives its header first (see
 * proxy-front.ts), any other begins its TLS at once, in the same socket.
 */

import { type Balancers, plainAddress } from "./balancers.ts";
import { Arrival, beginTls, type RawSocket } from "./proxy-arrival.ts";
import type { ProxyFront } from "./proxy-front.ts";
import { type OwnedSocket, SOCKET_HANDLERS, type SocketOwner } from "./socket.ts";
import { type BrokerTls, isAdmitted, tlsOptions } from "./tls/broker-tls.ts";
import { Visitors, type VisitorsDeps } from "./visitors.ts";

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
  /** Those that were refused since their address had too many. */
  readonly turnedAway: () => number;
  /** New connections get these from now on; what is open goes on. Throws, and nothing has changed, when they are no good. */
  readonly renew: (tls: BrokerTls) => void;
  /** Takes no new connection and no further request; sessions go on. */
  readonly drain: () => void;
  /** Drops everything. */
  readonly stop: () => void;
};

export function listen(deps: Omit<VisitorsDeps, "isBalancer">, options: ListenOptions): Listening {
  const isBalancer = (address: string) => options.balancers?.has(address) ?? false;
  const visitors = new Visitors({ ...deps, isBalancer });
  let door = openDoor(visitors, options, { tls: options, port: options.port });
  const { port } = door;
  return {
    port,
    openCount: () => visitors.openCount,
    turnedAway: () => visitors.turnedAway,
    renew: (tls) => {
      // Both listen for a moment, so that nobody who comes in between is turned away.
      const next = openDoor(visitors, options, { tls, port });
      door.stop(false);
      door = next;
    },
    drain: () => {
      door.stop(false);
      visitors.drain();
      deps.gateway?.drain();
    },
    stop: () => {
      door.stop(true);
      visitors.endTalk();
      deps.gateway?.stop();
    },
  };
}

function openDoor(
  visitors: Visitors,
  { address: hostname, balancers }: ListenOptions,
  { tls, port }: { readonly tls: BrokerTls; readonly port: number },
): Door {
  const handlers = {
    ...SOCKET_HANDLERS,
    open: (socket: OwnedSocket) => {
      Arrival.giveAddress(socket);
      visitors.welcome(socket);
    },
    // Its presence makes `open` come before the handshake, so that silent clients are seen at all.
    handshake: (socket: OwnedSocket, isSecure: boolean) =>
      socket.data.onHandshake(isSecure && isAdmitted(socket, tls)),
  };
  if (balancers === undefined) return openTlsDoor({ hostname, port }, tls, handlers);
  return openPlainDoor({ hostname, port }, (raw) => {
    const address = plainAddress(raw.remoteAddress);
    const onHeader = (clientAddress: string, rest: Uint8Array) =>
      beginTls(raw, { tls: tlsOptions(tls), handlers, arrival: new Arrival(clientAddress), rest });
    if (balancers.has(address)) visitors.welcomeFronted(raw, { balancer: address, onHeader });
    else onHeader(address, new Uint8Array());
  });
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
