/**
 * The channel `rfb`: joins the broker's connection with x11vnc's, which listens on loopback. A side that doesn't take
 * bytes pauses the other, so memory stays at what one read had taken.
 */

import { Flow } from "../../wire/display/flow.ts";
import type { ChannelOwner, DoorSocket } from "./door.ts";

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
