/**
 * The channel `rfb`: joins the broker's connection with the screen server's. A side that doesn't take
 * bytes pauses the other, so memory stays at what one read had taken.
 */

import { Flow } from "../../wire/display/flow.ts";
import type { ChannelOwner, DoorSocket } from "./door.ts";
import { KeyStream } from "./key-stream.ts";
import type { ScreenPlace, ScreenServer } from "./screen-server.ts";

export type JoinEvents = { readonly onOpen: () => void; readonly onClose: () => void };

/** `onClose` comes once, also where nothing answered. */
export function joinScreen(
  broker: DoorSocket,
  { place, keys }: Pick<ScreenServer, "place" | "keys">,
  events: JoinEvents,
): ChannelOwner {
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
  const socket: Bun.SocketHandler<undefined> = {
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
  };
  connectTo(place, socket).catch(close);
  const send = (chunk: Uint8Array) =>
    toScreen === undefined ? void early.push(chunk) : toScreen.send(chunk);
  keys?.refresh();
  const typed = keys === undefined ? undefined : new KeyStream({ keys, send, giveUp: close });
  return {
    data: (chunk) => (typed === undefined ? send(chunk) : typed.data(chunk)),
    drain: () => toBroker?.drain(),
    close,
  };
}

function connectTo(place: ScreenPlace, socket: Bun.SocketHandler<undefined>) {
  return "unix" in place ? Bun.connect({ ...place, socket }) : Bun.connect({ ...place, socket });
}
