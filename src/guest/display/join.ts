/**
 * The channel `rfb`: joins the broker's connection with x11vnc's, which listens on loopback. A side that doesn't take
 * bytes pauses the other, so memory stays at what one read had taken.
 */

import type { ChannelOwner, DoorSocket } from "./door.ts";

type Pausable = {
  write(chunk: Uint8Array): number;
  pause(): void;
  resume(): void;
  end(): void;
  terminate(): void;
};

/** One direction: what `to` didn't take is kept, and `from` rests until it has. */
class Flow {
  #unsent: Uint8Array[] = [];
  readonly #from: Pausable;
  readonly #to: Pausable;

  constructor(from: Pausable, to: Pausable) {
    this.#from = from;
    this.#to = to;
  }

  send(chunk: Uint8Array): void {
    if (this.#unsent.length > 0) return void this.#unsent.push(chunk);
    const written = Math.max(0, this.#to.write(chunk));
    if (written === chunk.length) return;
    this.#unsent = [chunk.subarray(written)];
    this.#from.pause();
  }

  drain(): void {
    for (let chunk = this.#unsent[0]; chunk !== undefined; chunk = this.#unsent[0]) {
      const written = Math.max(0, this.#to.write(chunk));
      if (written < chunk.length) {
        this.#unsent[0] = chunk.subarray(written);
        return;
      }
      this.#unsent.shift();
    }
    this.#from.resume();
  }
}

export type JoinEvents = { readonly onOpen: () => void; readonly onClose: () => void };

/** `onClose` comes once, also where x11vnc never answered. */
export function joinScreen(broker: DoorSocket, port: number, events: JoinEvents): ChannelOwner {
  let toScreen: Flow | undefined;
  let toBroker: Flow | undefined;
  let screen: Bun.Socket<undefined> | undefined;
  let isClosed = false;
  const early: Uint8Array[] = [];
  const close = () => {
    if (isClosed) return;
    isClosed = true;
    broker.end();
    screen?.terminate();
    events.onClose();
  };
  Bun.connect<undefined>({
    hostname: "127.0.0.1",
    port,
    socket: {
      open(opened) {
        if (isClosed) return void opened.terminate();
        screen = opened;
        opened.setNoDelay(true);
        toScreen = new Flow(broker, opened);
        toBroker = new Flow(opened, broker);
        for (const chunk of early.splice(0)) toScreen.send(chunk);
        events.onOpen();
      },
      data: (_opened, chunk) => toBroker?.send(chunk),
      drain: () => toScreen?.drain(),
      close,
      connectError: close,
      // A failing socket is closed, which says so.
      error: () => {},
    },
  }).catch(close);
  return {
    data: (chunk) => (toScreen === undefined ? void early.push(chunk) : toScreen.send(chunk)),
    drain: () => toBroker?.drain(),
    close,
  };
}
