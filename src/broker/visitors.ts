/** Everybody who is connected to this worker: counted until they are gone, watched for their deadlines until a pipe has them. */

import { AddressPlaces, isLoopback } from "./address-places.ts";
import { Connection, type ConnectionDeps } from "./connection.ts";
import { HandshakePace } from "./handshake-pace.ts";
import type { RawSocket } from "./proxy-arrival.ts";
import { ProxyFront } from "./proxy-front.ts";
import { type OwnedSocket, tuneSocket } from "./socket.ts";
import { Spin } from "./spin.ts";
import { WaitingRoom } from "./waiting-room.ts";

export type VisitorsDeps = Omit<
  ConnectionDeps,
  "onGone" | "onHandedOver" | "onGatewayEnded" | "pipes" | "relayPipes" | "waitingRoom"
> & {
  /** Who speaks for many. */
  readonly isBalancer: (address: string) => boolean;
};

/** Of a connection that is no pipe yet. */
type Talking = { readonly expire: (nowMs: number) => void; readonly drain: () => void };

/** A balancer's connection of which the header is still to come. */
export type Fronted = {
  readonly balancer: string;
  readonly onHeader: (clientAddress: string, rest: Uint8Array) => void;
};

const SWEEP_MS = 1_000;
const REFUSAL =
  "There are too many connections from your address. Retry in a minute, or tell your administrator.";

export class Visitors {
  readonly #deps: ConnectionDeps;
  readonly #talking = new Set<Talking>();
  readonly #pace = new HandshakePace();
  readonly #places: AddressPlaces;
  readonly #sweep: ReturnType<typeof setInterval>;
  #openCount = 0;
  #isDraining = false;

  constructor(deps: VisitorsDeps) {
    const { halfOpenMs, perAddress: most } = deps.limits;
    const isExempt = (address: string) => isLoopback(address) || deps.isBalancer(address);
    const places = new AddressPlaces({ most, isExempt, log: deps.log, nowMs: () => performance.now() });
    this.#places = places;
    const spin = new Spin({ nowMs: () => performance.now(), nextTurn: setImmediate });
    const leave = (address?: string) => {
      this.#openCount--;
      if (address !== undefined) places.leave(address);
    };
    this.#deps = {
      ...deps,
      pipes: {
        halfOpenMs,
        spin,
        onEnded: (sessionId, end, address) => {
          leave(address);
          deps.sessions.remove(sessionId);
          deps.recorder.ended(sessionId, end);
        },
      },
      waitingRoom: new WaitingRoom(Math.random),
      relayPipes: {
        halfOpenMs,
        spin,
        onEnded: (sessionId) => {
          leave();
          deps.relays.end(sessionId);
        },
      },
      onGatewayEnded: ({ clientAddress }) => leave(clientAddress),
      onHandedOver: (connection, to) => {
        this.#talking.delete(connection);
        // It proved to be a box of the site, whose people have been counted where they came.
        if (to === "relay") places.leave(connection.clientAddress);
      },
      onGone: (connection) => {
        this.#leave(connection);
        places.leave(connection.clientAddress);
      },
    };
    this.#sweep = setInterval(() => this.#expire(performance.now()), SWEEP_MS);
  }

  /** Sessions included. */
  get openCount(): number {
    return this.#openCount;
  }

  /** Connections over what their addresses may hold, since this worker began. */
  get turnedAway(): number {
    return this.#places.turnedAway;
  }

  welcome(socket: OwnedSocket): void {
    this.#openCount++;
    const admission = this.#places.take(socket.remoteAddress);
    const connection = new Connection(this.#deps, socket, admission === "told" ? REFUSAL : undefined);
    socket.data = connection;
    this.#talking.add(connection);
    tuneSocket(socket);
    // It came to the port before the drain, and its balancer's header after.
    if (this.#isDraining) connection.drain();
    if (this.#isFull || admission === "full") socket.terminate();
    else this.#pace.admit(socket);
  }

  welcomeFronted(raw: RawSocket, { balancer, onHeader }: Fronted): void {
    this.#openCount++;
    const { limits, log } = this.#deps;
    const front = new ProxyFront(raw, balancer, {
      timeoutMs: limits.handshakeMs,
      log,
      onGone: () => this.#leave(front),
      onHeader: (clientAddress, rest) => {
        this.#leave(front);
        onHeader(clientAddress, rest);
      },
    });
    raw.data = front;
    this.#talking.add(front);
    if (this.#isFull) raw.terminate();
  }

  drain(): void {
    this.#isDraining = true;
    for (const one of [...this.#talking]) one.drain();
  }

  /** Also of those that came by a door which was replaced. */
  endTalk(): void {
    clearInterval(this.#sweep);
    this.#expire(Number.POSITIVE_INFINITY);
  }

  get #isFull(): boolean {
    return this.#openCount > this.#deps.limits.connections;
  }

  #leave(one: Talking): void {
    this.#talking.delete(one);
    this.#openCount--;
  }

  #expire(nowMs: number): void {
    for (const one of [...this.#talking]) one.expire(nowMs);
  }
}
