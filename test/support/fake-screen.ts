/** An X server's port for viewers, which asks for VNC's proof and sends back what it is told. */

import { SCREEN_PORT } from "../../src/domain/session/screen-port.ts";
import { ViewerProof } from "../../src/wire/display/viewer-proof.ts";

export type FakeScreen = {
  /** The key that it takes. */
  key: string;
  /** Of those who come: lets in who knows the key, at once or late, says nothing at all, or what no server says, without end. */
  manner: "fair" | "late" | "silent" | "mad";
  /** Viewers that were let in. */
  readonly viewers: Set<Bun.Socket<State>>;
  /** All that came behind the proof. */
  readonly heard: Buffer[];
  stop(): void;
};

type State = { received: Buffer; isIn: boolean; expected: Buffer };

/** Longer than anybody waits for a port that isn't open. */
const LATE_MS = 2_500;
const VERSION = Buffer.from("RFB 003.008\n");

export function openFakeScreen(hostname: string): FakeScreen {
  const viewers = new Set<Bun.Socket<State>>();
  const heard: Buffer[] = [];
  const server = Bun.listen<State>({
    hostname,
    port: SCREEN_PORT,
    socket: {
      open(socket) {
        const challenge = Buffer.from(crypto.getRandomValues(new Uint8Array(16)));
        const words = Buffer.concat([VERSION, Buffer.from([1, 2]), challenge]);
        const answer = new ViewerProof(screen.key).take(words);
        const expected = answer.kind === "answer" ? Buffer.from(answer.bytes) : Buffer.alloc(0);
        socket.data = { received: Buffer.alloc(0), isIn: false, expected };
        if (screen.manner === "fair") socket.write(words);
        if (screen.manner === "late") setTimeout(() => socket.write(words), LATE_MS);
        if (screen.manner === "mad") socket.write(Buffer.alloc(1024 * 1024, 0x52));
      },
      data(socket, chunk) {
        const { data } = socket;
        if (data.isIn) {
          heard.push(Buffer.from(chunk));
          return void socket.write(chunk);
        }
        data.received = Buffer.concat([data.received, chunk]);
        const proof = data.received.subarray(VERSION.length + 1);
        if (proof.length < 16) return;
        data.isIn = proof.equals(data.expected);
        socket.write(Buffer.from([0, 0, 0, data.isIn ? 0 : 1]));
        if (data.isIn) viewers.add(socket);
        else socket.end();
      },
      close: (socket) => void viewers.delete(socket),
      error: () => {},
    },
  });
  const screen: FakeScreen = {
    key: "",
    manner: "fair",
    viewers,
    heard,
    stop: () => server.stop(true),
  };
  return screen;
}
