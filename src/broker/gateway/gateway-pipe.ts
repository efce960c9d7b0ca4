/** A browser's connection joined with our own HTTP server, until it becomes a WebSocket. Ends when either side does. */

import { keepTogether } from "../keep-together.ts";
import type { BrokerLimits } from "../limits.ts";
import { PipeEnd } from "../pipe.ts";
import type { OwnedSocket, SocketOwner } from "../socket.ts";
import type { HandedOver } from "../upgrade.ts";
import { PageConnection } from "./page-connection.ts";

/** Where the server listens, and our end of each connection to it is. */
export const LOOPBACK = "127.0.0.1";
/** Until the server's end is there, a browser's request may come in pieces; a larger one waits in the kernel. */
const MOST_EARLY_BYTES = 64 * 1024;

export type GatewayPipeLimits = Pick<BrokerLimits, "headMs" | "answerMs" | "halfOpenMs">;

export type GatewayPipeOptions = {
  /** For frames of a WebSocket; the same for all pipes. */
  readonly room: Buffer;
  /** Our end towards the server is gone, and its port may be somebody else's. May come again. */
  readonly onServerLeft: () => void;
  /** Once, when nothing of it is left. */
  readonly onEnded: () => void;
};

/** What a connection does that may not last; undefined: something that may. */
type Doing = { readonly name: string; readonly mostMs: number } | undefined;

export class GatewayPipe {
  /** The browser's, as the broker saw it. */
  readonly address: string;
  /** Of our end towards the server; undefined before it is there. */
  port: number | undefined;
  readonly #options: GatewayPipeOptions;
  #early: Uint8Array[] = [];
  #client: OwnedSocket | undefined;
  #ends: { readonly client: PipeEnd; readonly server: PipeEnd } | undefined;
  #page: PageConnection | undefined;
  #open = 0;
  /** Requests that came, for telling one from the next. */
  #requests = 0;
  #isAnswering = false;
  /** A file passes, which may take its time. */
  #isFile = false;
  /** Received with all requests that were answered. */
  #answeredBytes = 0;
  #doing: { readonly name: string; readonly sinceMs: number } | undefined;

  constructor(address: string, options: GatewayPipeOptions) {
    this.address = address;
    this.#options = options;
  }

  /** It became a WebSocket, which shows a desktop. */
  get isScreen(): boolean {
    return this.#page !== undefined;
  }

  /** Keeps what the browser sends until the server's end is there. */
  own(client: HandedOver): void {
    this.#client = client.socket;
    this.#early = [...client.early];
    let bytes = 0;
    const waiting: SocketOwner = {
      onData: (chunk) => {
        keepTogether(this.#early, chunk);
        bytes += chunk.length;
        if (bytes > MOST_EARLY_BYTES) client.socket.pause();
      },
      onDrain: () => {},
      onEnd: () => client.socket.end(),
      onClose: () => {
        this.#client = undefined;
        this.#options.onEnded();
      },
      onHandshake: () => {},
    };
    client.socket.data = waiting;
  }

  /** False when the browser left meanwhile. */
  join(server: OwnedSocket): boolean {
    const client = this.#client;
    if (client === undefined) return false;
    this.port = server.localPort;
    this.#open = 2;
    const events = {
      onHalfClosed: () => {},
      onGone: (end: PipeEnd) => this.#leave(end),
    };
    const ends = { client: new PipeEnd(client, events), server: new PipeEnd(server, events) };
    PipeEnd.join(ends.client, ends.server);
    this.#ends = ends;
    client.data = ends.client;
    server.data = ends.server;
    for (const chunk of this.#early) ends.client.onData(chunk);
    this.#early = [];
    client.resume();
    return true;
  }

  /** The browser's connection is a WebSocket from now on, and the server has no part in it. False when either has left. */
  become(begin: (page: PageConnection) => void): boolean {
    const { client, server } = this.#ends ?? {};
    const socket = this.#client;
    if (client === undefined || server === undefined || socket === undefined || this.#open < 2) return false;
    const page = new PageConnection(socket, {
      room: this.#options.room,
      unsent: client.release(),
      onGone: () => this.#count(),
    });
    this.#page = page;
    this.#ends = undefined;
    socket.data = page;
    this.#options.onServerLeft();
    server.terminate();
    socket.resume();
    begin(page);
    return true;
  }

  /** A request's head is there; what `answer` returns is its answer. */
  async during<T>(isFile: boolean, answer: () => Promise<T>): Promise<T> {
    this.#requests++;
    this.#isAnswering = true;
    this.#isFile = isFile;
    try {
      return await answer();
    } finally {
      this.#isAnswering = false;
      this.#answeredBytes = this.#ends?.client.receivedBytes ?? 0;
    }
  }

  /** Ends the connection when what it does lasts too long. Called every second. */
  expire(nowMs: number, limits: GatewayPipeLimits): void {
    this.#page?.expire(nowMs, limits);
    const doing = this.#readDoing(limits);
    if (doing === undefined) this.#doing = undefined;
    else if (doing.name !== this.#doing?.name) this.#doing = { name: doing.name, sinceMs: nowMs };
    else if (nowMs - this.#doing.sinceMs >= doing.mostMs) this.terminate();
  }

  #readDoing({ headMs, answerMs, halfOpenMs }: GatewayPipeLimits): Doing {
    if (this.#ends === undefined) return undefined;
    // The server is done; whoever doesn't go now would stay for ever.
    if (this.#open === 1) return { name: "leaving", mostMs: halfOpenMs };
    if (this.#isAnswering)
      return this.#isFile ? undefined : { name: `answer ${this.#requests}`, mostMs: answerMs };
    // A head that comes byte by byte, or a body that nobody reads.
    const isAsking = this.#ends.client.receivedBytes > this.#answeredBytes;
    return isAsking ? { name: `head ${this.#requests}`, mostMs: headMs } : undefined;
  }

  terminate(): void {
    this.#client?.terminate();
    this.#ends?.server.terminate();
  }

  #leave(end: PipeEnd): void {
    const { client, server } = this.#ends ?? {};
    if (end === server) this.#options.onServerLeft();
    if (this.#count() === 0) return;
    if (end === client) server?.terminate();
    else client?.shutdownWhenSent();
  }

  #count(): number {
    this.#open--;
    if (this.#open === 0) this.#options.onEnded();
    return this.#open;
  }
}

/** Whose request it is by our end of it. Other addresses of loopback have the same numbers of ports for themselves. */
export function pipeOf(
  pipes: ReadonlyMap<number, GatewayPipe>,
  peer: { readonly address: string; readonly port: number } | null,
): GatewayPipe | undefined {
  return peer?.address === LOOPBACK ? pipes.get(peer.port) : undefined;
}
