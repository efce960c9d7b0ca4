/**
 * Draws the session's screen for its viewers, in a process of its own, as the session's user. The agent joins each viewer
 * by two connections to one socket: the viewer's, and one that leads to the screen's server. Each says first which it is,
 * in a line such as `viewer 7` or `server 7`.
 */

import { AppError, describeError } from "../../lib/errors.ts";
import { Outbox } from "./outbox.ts";
import { ScreenReader } from "./screen-reader.ts";
import { parseSide, type Side, type SideName } from "./side.ts";
import { Viewer } from "./viewer.ts";

export type ServeOptions = {
  /** Of X. */
  readonly display: string;
  /** Where to listen. */
  readonly socket: string;
  readonly say: (line: string) => void;
};

type End = { readonly socket: Bun.Socket<Guest>; readonly outbox: Outbox };
type Handlers = { data: (chunk: Uint8Array) => void; drain: () => void };

const MOST_PAIRS = 16;
const PAIR_MS = 5_000;
/** Both greet and wait; no more than that can have been said before they are joined. */
const MOST_EARLY_CHUNKS = 64;

/** Rejects where X can't be looked at as needed; else it listens until `stop` is called. */
export async function serveViewers(options: ServeOptions): Promise<{ stop(): void }> {
  // Whoever starts us shows the screen by other means where this can't be.
  const trial = await ScreenReader.open(options.display, { onDamage: () => {}, onClose: () => {} });
  await trial.look({ x: 0, y: 0, width: 1, height: 1 }, [{ x: 0, y: 0, width: 1, height: 1 }]);
  trial.close();
  const pairs = new Map<number, Pair>();
  const listener = Bun.listen<Guest>({
    unix: options.socket,
    socket: {
      open(socket) {
        socket.data = new Guest(socket, options, pairs);
      },
      data: (socket, chunk) => socket.data.data(chunk),
      drain: (socket) => socket.data.handlers?.drain(),
      close: (socket) => socket.data.close(),
      // A failing socket is closed, which is when its owner learns of it.
      error: () => {},
    },
  });
  return { stop: () => listener.stop(true) };
}

/** One connection, before and after it has said what it is. */
class Guest {
  handlers: Handlers | undefined;
  readonly #socket: Bun.Socket<Guest>;
  readonly #options: ServeOptions;
  readonly #pairs: Map<number, Pair>;
  readonly #timer: ReturnType<typeof setTimeout>;
  #early = Buffer.alloc(0);
  #pair: Pair | undefined;

  constructor(socket: Bun.Socket<Guest>, options: ServeOptions, pairs: Map<number, Pair>) {
    this.#socket = socket;
    this.#options = options;
    this.#pairs = pairs;
    this.#timer = setTimeout(() => socket.terminate(), PAIR_MS);
  }

  data(chunk: Uint8Array): void {
    if (this.handlers !== undefined) {
      this.handlers.data(chunk);
      return;
    }
    this.#early = Buffer.concat([this.#early, chunk]);
    const side = this.#readSide();
    if (side === undefined) return;
    clearTimeout(this.#timer);
    this.#join(side.name, side.pair);
    const rest = this.#early.subarray(side.bytes);
    if (rest.length > 0) this.#handle(rest);
  }

  #readSide(): Side | undefined {
    try {
      return parseSide(this.#early);
    } catch {
      // Only the agent comes here, and it says so in order.
      this.#socket.terminate();
      return undefined;
    }
  }

  #handle(chunk: Buffer): void {
    const handlers: Handlers | undefined = this.handlers;
    handlers?.data(chunk);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#pair?.end();
  }

  #join(name: SideName, number: number): void {
    if (this.#pairs.size >= MOST_PAIRS && !this.#pairs.has(number)) return void this.#socket.terminate();
    const pair = this.#pairs.get(number) ?? new Pair(this.#options, () => this.#pairs.delete(number));
    this.#pairs.set(number, pair);
    this.#pair = pair;
    this.handlers = pair.take(name, { socket: this.#socket, outbox: new Outbox(this.#socket) });
  }
}

/** A viewer's two connections. */
class Pair {
  readonly #options: ServeOptions;
  readonly #onEnd: () => void;
  readonly #sides = new Map<SideName, End>();
  readonly #early: Record<SideName, Uint8Array[]> = { viewer: [], server: [] };
  readonly #timer: ReturnType<typeof setTimeout>;
  #viewer: Viewer | undefined;
  #screen: ScreenReader | undefined;
  #hasEnded = false;

  constructor(options: ServeOptions, onEnd: () => void) {
    this.#options = options;
    this.#onEnd = onEnd;
    this.#timer = setTimeout(() => this.end(new AppError("timeout", "no server came for a viewer")), PAIR_MS);
  }

  take(name: SideName, side: End): Handlers {
    if (this.#sides.has(name)) side.socket.terminate();
    else this.#sides.set(name, side);
    if (this.#sides.size === 2) this.#begin().catch((error: unknown) => this.end(error));
    return {
      data: (chunk) => this.#data(name, chunk),
      drain: () => {
        side.outbox.drain();
        if (name === "viewer") this.#viewer?.stir();
      },
    };
  }

  end(error?: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    if (error !== undefined) this.#options.say(describeError(error));
    this.#viewer?.close();
    this.#screen?.close();
    for (const { socket } of this.#sides.values()) socket.terminate();
    this.#onEnd();
  }

  #data(name: SideName, chunk: Uint8Array): void {
    if (this.#viewer === undefined) {
      this.#early[name].push(Uint8Array.from(chunk));
      if (this.#early[name].length > MOST_EARLY_CHUNKS) this.end();
      return;
    }
    try {
      if (name === "viewer") this.#viewer.fromViewer(chunk);
      else this.#viewer.fromServer(chunk);
    } catch (error) {
      this.end(error);
    }
  }

  async #begin(): Promise<void> {
    clearTimeout(this.#timer);
    const [viewer, server] = [this.#sides.get("viewer"), this.#sides.get("server")];
    if (viewer === undefined || server === undefined) return;
    const screen = await ScreenReader.open(this.#options.display, {
      onDamage: () => this.#viewer?.stir(),
      onClose: () => this.end(),
    });
    if (this.#hasEnded) return screen.close();
    this.#screen = screen;
    this.#viewer = new Viewer({
      screen,
      toViewer: viewer.outbox,
      toServer: server.outbox,
      now: () => performance.now(),
      giveUp: (error) => this.end(error),
    });
    for (const name of ["viewer", "server"] as const)
      for (const chunk of this.#early[name].splice(0)) this.#data(name, chunk);
  }
}
