/**
 * The display door's own side (`wire/display/hello.ts`): the port that the broker connects to while somebody sits at
 * the desktop by browser. Lets in the one address that it was told, and who knows the session's key; everything else is
 * closed without a word. What a channel does is the handlers' affair.
 */

import { timingSafeEqual } from "node:crypto";
import type { Log } from "../../lib/log.ts";
import {
  DISPLAY_ACCEPTED,
  type DisplayChannel,
  formatDisplayRefusal,
  MOST_HELLO_BYTES,
  parseDisplayHello,
} from "../../wire/display/hello.ts";

/** A connection of the broker's, after its hello. `data` may keep the chunk. */
export type ChannelOwner = {
  /** What the broker is told; that it is accepted, where nothing stands here. */
  readonly answer?: string;
  readonly data: (chunk: Uint8Array) => void;
  readonly drain?: () => void;
  /** The last call. */
  readonly close: () => void;
};

export type DoorSocket = Bun.Socket<Guest>;

export type DisplayHandlers = Readonly<
  Record<DisplayChannel, (socket: DoorSocket, argument: string) => ChannelOwner | string>
>;

export type DoorOptions = {
  readonly port: number;
  /** The only address that may come in. */
  readonly accept: string;
  readonly key: string;
  readonly handlers: DisplayHandlers;
  readonly log: Log;
};

const HELLO_MS = 5_000;
const MOST_CHANNELS = 16;

/** One connection: reads its hello, then belongs to a channel. */
class Guest {
  readonly #door: DisplayDoor;
  #hello = "";
  #owner: ChannelOwner | undefined;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(door: DisplayDoor, socket: DoorSocket) {
    this.#door = door;
    this.#timer = setTimeout(() => socket.terminate(), HELLO_MS);
  }

  data(socket: DoorSocket, chunk: Uint8Array): void {
    if (this.#owner !== undefined) return void this.#owner.data(chunk);
    const end = chunk.indexOf(0x0a);
    const head = end === -1 ? chunk : chunk.subarray(0, end);
    this.#hello += Buffer.from(head).toString("latin1");
    if (this.#hello.length > MOST_HELLO_BYTES) return void socket.terminate();
    if (end === -1) return;
    clearTimeout(this.#timer);
    const owner = this.#door.admit(socket, this.#hello);
    if (owner === undefined) return void socket.terminate();
    if (typeof owner === "string") {
      socket.write(formatDisplayRefusal(owner));
      return void socket.end();
    }
    this.#owner = owner;
    socket.write(`${owner.answer ?? DISPLAY_ACCEPTED}\n`);
    if (end + 1 < chunk.length) owner.data(chunk.subarray(end + 1));
  }

  drain(): void {
    this.#owner?.drain?.();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#owner?.close();
    this.#owner = undefined;
  }
}

export class DisplayDoor {
  readonly #options: DoorOptions;
  readonly #open = new Set<DoorSocket>();
  #listener: Bun.TCPSocketListener<Guest> | undefined;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /** Throws when the port can't be had. */
  start(): void {
    this.#listener = Bun.listen<Guest>({
      hostname: "0.0.0.0",
      port: this.#options.port,
      socket: {
        open: (socket) => {
          if (socket.remoteAddress !== this.#options.accept || this.#open.size >= MOST_CHANNELS)
            return void socket.terminate();
          this.#open.add(socket);
          socket.data = new Guest(this, socket);
          socket.setNoDelay(true);
          socket.setKeepAlive(true, 30_000);
        },
        data: (socket, chunk) => socket.data?.data(socket, chunk),
        drain: (socket) => socket.data?.drain(),
        close: (socket) => {
          this.#open.delete(socket);
          socket.data?.close();
        },
        // A failing socket is closed, which is when its owner learns of it.
        error: () => {},
      },
    });
  }

  /** Undefined for whoever doesn't know the key; a text is the reason of a refusal. */
  admit(socket: DoorSocket, line: string): ChannelOwner | string | undefined {
    const hello = parseDisplayHello(line);
    if (hello === undefined || !isSame(hello.key, this.#options.key)) {
      this.#options.log.warn("display-stranger-refused");
      return undefined;
    }
    return this.#options.handlers[hello.channel](socket, hello.argument);
  }

  stop(): void {
    this.#listener?.stop(true);
    this.#listener = undefined;
    for (const socket of [...this.#open]) socket.terminate();
  }
}

function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
