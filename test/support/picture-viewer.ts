/** A viewer at the display door that takes pictures by the encodings that it names, one update after the other. */

import { formatEncodings } from "../../src/guest/screen/encodings.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { Incomplete, RfbPicture } from "./rfb-picture.ts";

export type PictureViewerTarget = {
  readonly hostname: string;
  readonly port: number;
  /** Sent first; answered by a line `OK`. */
  readonly hello: string;
  readonly encodings: readonly number[];
};

const OK = "OK\n";
const VERSION = "RFB 003.008\n";
const INIT_BYTES = 24;
const TIMEOUT_MS = 60_000;

export class PictureViewer {
  readonly picture: RfbPicture;
  readonly #socket: Bun.Socket<undefined>;
  readonly #state: { received: Buffer };

  private constructor(socket: Bun.Socket<undefined>, state: { received: Buffer }, picture: RfbPicture) {
    this.#socket = socket;
    this.#state = state;
    this.picture = picture;
  }

  static async open({ hostname, port, hello, encodings }: PictureViewerTarget): Promise<PictureViewer> {
    const state = { received: Buffer.alloc(0) };
    const socket = await Bun.connect({
      hostname,
      port,
      socket: {
        data(_socket, chunk) {
          state.received = Buffer.concat([state.received, chunk]);
        },
        error: () => {},
      },
    });
    const take = async (bytes: number): Promise<Buffer> => {
      const isThere = () => state.received.length >= bytes;
      if (!(await waitFor(isThere, { timeoutMs: TIMEOUT_MS, everyMs: 2 }))) throw new Error("nothing came");
      const taken = state.received.subarray(0, bytes);
      state.received = state.received.subarray(bytes);
      return taken;
    };
    socket.write(hello);
    if (`${await take(OK.length)}` !== OK) throw new Error("the door said no");
    await take(VERSION.length);
    socket.write(VERSION);
    await take((await take(1)).readUInt8(0));
    socket.write(Buffer.of(1));
    await take(4);
    socket.write(Buffer.of(1));
    const init = await take(INIT_BYTES);
    await take(init.readUInt32BE(20));
    const picture = new RfbPicture(init.readUInt16BE(0), init.readUInt16BE(2));
    const viewer = new PictureViewer(socket, state, picture);
    socket.write(formatEncodings(encodings));
    viewer.#ask(true);
    return viewer;
  }

  /** Takes what has come; false where that is no whole update. */
  async take(): Promise<boolean> {
    try {
      const length = await this.picture.apply(this.#state.received);
      this.#state.received = this.#state.received.subarray(length);
      this.#ask(false);
      return true;
    } catch (error) {
      if (error instanceof Incomplete) return false;
      throw error;
    }
  }

  close(): void {
    this.#socket.end();
  }

  #ask(isFresh: boolean): void {
    const request = Buffer.of(3, isFresh ? 0 : 1, 0, 0, 0, 0, 0, 0, 0, 0);
    request.writeUInt16BE(this.picture.width, 6);
    request.writeUInt16BE(this.picture.height, 8);
    this.#socket.write(request);
  }
}
