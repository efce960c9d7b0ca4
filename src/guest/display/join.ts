/**
 * The channel `rfb`: joins the broker's connection with the screen server's, or with what makes its pictures. A side that
 * doesn't take bytes pauses the other, so memory stays at what one read had taken.
 */

import { randomInt } from "node:crypto";
import { Flow } from "../../wire/display/flow.ts";
import { DISPLAY_DIRECT } from "../../wire/display/hello.ts";
import { PageGreeting, ViewerProof } from "../../wire/display/viewer-proof.ts";
import { formatSide } from "../screen/side.ts";
import type { ChannelOwner, DoorSocket } from "./door.ts";
import { KeyStream } from "./key-stream.ts";
import type { ScreenPlace, ScreenServer } from "./screen-server.ts";

/** Where a page would rather be shown by the broker itself: nothing passes, and this is its seat until either side ends it. */
export function keepSeat(broker: DoorSocket, events: JoinEvents): ChannelOwner {
  events.onOpen();
  return {
    answer: DISPLAY_DIRECT.answer,
    data: () => broker.terminate(),
    close: events.onClose,
  };
}

const MOST_EARLY_BYTES = 64 * 1024;

/** What comes before the screen's server is there: a viewer has nothing to say until that has spoken. */
class Early {
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  push(chunk: Uint8Array, giveUp: () => void): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > MOST_EARLY_BYTES) giveUp();
  }

  take(): readonly Uint8Array[] {
    return this.#chunks.splice(0);
  }
}

export type JoinEvents = { readonly onOpen: () => void; readonly onClose: () => void };

/** `onClose` comes once, also where nothing answered. */
export function joinScreen(
  broker: DoorSocket,
  { place, key, painter, keys }: Pick<ScreenServer, "place" | "key" | "painter" | "keys">,
  events: JoinEvents,
): ChannelOwner {
  let toScreen: Flow | undefined;
  let toBroker: Flow | undefined;
  let isClosed = false;
  const early = new Early();
  const ends: (() => void)[] = [];
  const close = () => {
    if (isClosed) return;
    isClosed = true;
    broker.end();
    for (const end of ends) end();
    events.onClose();
  };
  const proof = key === undefined ? undefined : new ViewerProof(key);
  const greeting = key === undefined ? undefined : new PageGreeting();
  const pass = (bytes: Uint8Array) => {
    const said = greeting === undefined ? { passed: bytes } : greeting.take(bytes);
    if (said === undefined) return close();
    if (said.reply !== undefined) toBroker?.send(said.reply);
    toScreen?.send(said.passed);
  };
  const begin = (opened: Bun.Socket<undefined>, rest?: Uint8Array) => {
    toScreen = new Flow(broker, opened);
    toBroker = new Flow(opened, broker);
    // Before anything that may close it: who comes and goes is counted.
    events.onOpen();
    if (rest !== undefined) toBroker.send(Buffer.concat([PageGreeting.hello, rest]));
    for (const chunk of early.take()) pass(chunk);
  };
  const socket: Bun.SocketHandler<undefined> = {
    open(opened) {
      if (isClosed) return void opened.terminate();
      ends.push(() => opened.terminate());
      opened.setNoDelay(true);
      if (painter !== undefined) {
        const pair = newPair();
        opened.write(formatSide("viewer", pair));
        ends.push(bridge(place, { painter, pair }, close));
      }
      if (proof === undefined) begin(opened);
      else opened.write(ViewerProof.hello);
    },
    data(opened, chunk) {
      if (toBroker !== undefined) return void toBroker.send(chunk);
      const step = proof?.take(chunk);
      if (step?.kind === "answer") opened.write(step.bytes);
      else if (step?.kind === "refused") close();
      else if (step?.kind === "in") begin(opened, step.rest);
    },
    drain: () => toScreen?.drain(),
    close,
    connectError: close,
    // A failing socket is closed, which says so.
    error: () => {},
  };
  connectTo(painter === undefined ? place : { unix: painter }, socket).catch(close);
  const send = (chunk: Uint8Array) => (toScreen === undefined ? early.push(chunk, close) : pass(chunk));
  keys?.refresh();
  const typed = keys === undefined ? undefined : new KeyStream({ keys, send, giveUp: close });
  return {
    data: (chunk) => (typed === undefined ? send(chunk) : typed.data(chunk)),
    drain: () => toBroker?.drain(),
    close,
  };
}

/** Joins the screen's server with what makes the pictures, which has no way to it of its own. Returns what ends it. */
function bridge(
  place: ScreenPlace,
  { painter, pair }: { readonly painter: string; readonly pair: number },
  onClose: () => void,
): () => void {
  const opened: Bun.Socket<undefined>[] = [];
  const flows: { toServer?: Flow; toPainter?: Flow } = {};
  let isClosed = false;
  const end = () => {
    isClosed = true;
    for (const socket of opened) socket.terminate();
  };
  const handler = (flow: "toServer" | "toPainter"): Bun.SocketHandler<undefined> => ({
    open(socket) {
      if (isClosed) return void socket.terminate();
      opened.push(socket);
    },
    data: (_socket, chunk) => flows[flow]?.send(chunk),
    // What goes to this side is the other's flow.
    drain: () => flows[flow === "toServer" ? "toPainter" : "toServer"]?.drain(),
    close: onClose,
    connectError: onClose,
    error: () => {},
  });
  const begin = async () => {
    const mine = await connectTo({ unix: painter }, handler("toServer"));
    mine.write(formatSide("server", pair));
    mine.pause();
    const server = await connectTo(place, handler("toPainter"));
    flows.toServer = new Flow(mine, server);
    flows.toPainter = new Flow(server, mine);
    mine.resume();
  };
  begin().catch(onClose);
  return end;
}

/** Of a size that a line of numbers takes. */
function newPair(): number {
  return randomInt(1_000_000_000);
}

function connectTo(place: ScreenPlace, socket: Bun.SocketHandler<undefined>) {
  return "unix" in place ? Bun.connect({ ...place, socket }) : Bun.connect({ ...place, socket });
}
