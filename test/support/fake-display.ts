/** The display door of a desktop that shows nothing: knows one key, sends back what comes on its screen. */

import { DISPLAY_DIRECT, type DisplayHello, parseDisplayHello } from "../../src/wire/display/hello.ts";

export type FakeDisplay = {
  readonly port: number;
  readonly hellos: DisplayHello[];
  /** Lines of the control channel. */
  readonly orders: string[];
  /** Connections that show the screen. */
  readonly screens: Set<Bun.Socket<State>>;
  /** The key that it takes; undefined: any. */
  key: string | undefined;
  /** Whether it sends who would rather come to the screen itself there, and keeps a seat for them. */
  isDirect: boolean;
  /** Connections of sound and microphone. */
  readonly sounds: Set<Bun.Socket<State>>;
  /** What came on them. */
  readonly spoken: Uint8Array[];
  /** Bytes that came on the screen's channel. */
  receivedBytes: number;
  /** While true it doesn't read what comes on the screen. */
  rest(isResting: boolean): void;
  /** Says something on the control channels. */
  say(text: string): void;
  stop(): void;
};

type State = { text: string; hello: DisplayHello | undefined };

export function openFakeDisplay(hostname = "127.0.0.1"): FakeDisplay {
  const hellos: DisplayHello[] = [];
  const orders: string[] = [];
  const screens = new Set<Bun.Socket<State>>();
  const sounds = new Set<Bun.Socket<State>>();
  const spoken: Uint8Array[] = [];
  const controls = new Set<Bun.Socket<State>>();
  const server = Bun.listen<State>({
    hostname,
    port: 0,
    socket: {
      open: (socket) => {
        socket.data = { text: "", hello: undefined };
      },
      data: (socket, chunk) => {
        const { data } = socket;
        if (data.hello?.channel === "rfb") {
          display.receivedBytes += chunk.length;
          socket.write(chunk);
          return;
        }
        if (data.hello?.channel === "microphone") return void spoken.push(Uint8Array.from(chunk));
        data.text += chunk.toString("utf8");
        const lines = data.text.split("\n");
        data.text = lines.pop() ?? "";
        for (const line of lines) greetOrTake(socket, line);
      },
      close: (socket) => {
        screens.delete(socket);
        controls.delete(socket);
        sounds.delete(socket);
      },
      error: () => {},
    },
  });
  function greetOrTake(socket: Bun.Socket<State>, line: string): void {
    if (socket.data.hello !== undefined) return void orders.push(line);
    const hello = parseDisplayHello(line);
    if (hello === undefined || (display.key !== undefined && hello.key !== display.key))
      return void socket.terminate();
    socket.data.hello = hello;
    hellos.push(hello);
    if (hello.channel === "rfb") screens.add(socket);
    if (hello.channel === "control") controls.add(socket);
    if (hello.channel === "sound" || hello.channel === "microphone") sounds.add(socket);
    const isSeat = display.isDirect && hello.argument === DISPLAY_DIRECT.argument;
    socket.write(isSeat ? `${DISPLAY_DIRECT.answer}\n` : "OK\n");
  }
  const display: FakeDisplay = {
    port: server.port,
    hellos,
    orders,
    screens,
    sounds,
    spoken,
    key: undefined,
    isDirect: false,
    receivedBytes: 0,
    rest: (isResting) => {
      for (const socket of screens) isResting ? socket.pause() : socket.resume();
    },
    say: (text) => {
      for (const socket of controls) socket.write(text);
    },
    stop: () => server.stop(true),
  };
  return display;
}
