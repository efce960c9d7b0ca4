/** Everybody who is connected to this worker: counted until they are gone, watched for their deadlines until a pipe has them. */

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
>;

/** Of a connection that is no pipe yet. */
type Talking = { readonly expire: (nowMs: number) => void; readonly drain: () => void };

/** A balancer's connection of which the header is still to come. */
export type Fronted = {
  readonly balancer: string;
  readonly onHeader: (clientAddress: string, rest: Uint8Array) => void;
};

const SWEEP_MS = 1_000;

export class Visitors {
  readonly #deps: ConnectionDeps;
  readonly #talking = new Set<Talking>();
  readonly #pace = new HandshakePace();
  readonly #sweep: ReturnType<typeof setInterval>;
  #openCount = 0;

  constructor(deps: VisitorsDeps) {
    const { halfOpenMs } = deps.limits;
    const spin = new Spin({ nowMs: () => performance.now(), nextTurn: setImmediate });
    const leave = () => {
      this.#openCount--;
    };
    this.#deps = {
      ...deps,
      pipes: {
        halfOpenMs,
        spin,
        onEnded: (sessionId, end) => {
          leave();
          deps.sessions.remove(sessionId);
          deps.recorder.ended(sessionId, end);
        },
      },
      waitingRoom: new WaitingRoom(Math.random),
      relayPipes: { halfOpenMs, spin, onEnded: leave },
      onGatewayEnded: leave,
      onHandedOver: (connection) => this.#talking.delete(connection),
      onGone: (connection) => this.#leave(connection),
    };
    this.#sweep = setInterval(() => this.#expire(performance.now()), SWEEP_MS);
  }

  /** Sessions included. */
  get openCount(): number {
    return this.#openCount;
  }

  welcome(socket: OwnedSocket): void {
    this.#openCount++;
    const connection = new Connection(this.#deps, socket);
    socket.data = connection;
    this.#talking.add(connection);
    tuneSocket(socket);
    if (this.#isFull) socket.terminate();
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
