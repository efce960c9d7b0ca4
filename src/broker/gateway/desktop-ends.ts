/** The desktop's ends of what a page shows: the screen's bytes, and the lines about all that is no picture. */

import { LineSplitter } from "../../lib/lines.ts";
import { TokenBucket } from "../../lib/token-bucket.ts";
import {
  type DisplayNews,
  type DisplayOrder,
  formatDisplayLine,
  MOST_CONTROL_BYTES,
  parseDisplayNews,
} from "../../wire/display/control.ts";
import { PatientWriter } from "../../wire/display/patient-writer.ts";
import { PageGreeting } from "../../wire/display/viewer-proof.ts";
import { giveBack } from "../give-back.ts";
import type { OwnedSocket, SocketOwner } from "../socket.ts";
import type { PageSocket } from "./page-socket.ts";
import { Unsent } from "./unsent.ts";

/** What the screen's side takes of a socket. */
export type ScreenSocket = Pick<OwnedSocket, "pause" | "resume" | "terminate"> & {
  write(bytes: Uint8Array): number;
};

export type ScreenEndOptions = {
  readonly page: Pick<PageSocket, "sendBinary">;
  readonly onClosed: () => void;
  /** What holds its place at the display door, where it isn't the screen's own connection. */
  readonly seat?: OwnedSocket;
  /** Its X server has let us in already, of which the page knows nothing. */
  readonly isDirect?: boolean;
};

/** The desktop's side of the screen. */
export class ScreenEnd implements SocketOwner {
  receivedBytes = 0;
  readonly #socket: ScreenSocket;
  readonly #options: ScreenEndOptions;
  /** Of a page that has yet to say what we said for it. */
  #greeting: PageGreeting | undefined;
  readonly #unsent: Unsent;

  constructor(socket: ScreenSocket, options: ScreenEndOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#unsent = new Unsent(socket);
    if (options.isDirect === true) this.#greeting = new PageGreeting();
  }

  onData(chunk: Uint8Array): void {
    this.receivedBytes += chunk.length;
    if (this.#options.page.sendBinary(chunk) < 0) this.#socket.pause();
    giveBack(chunk);
  }

  resume(): void {
    this.#socket.resume();
  }

  /** False when more than `most` bytes would have to be kept, or the page talks nonsense. */
  send(bytes: Uint8Array, most: number): boolean {
    const chunk = this.#greeting === undefined ? bytes : this.#greet(this.#greeting, bytes);
    if (chunk === undefined) return false;
    return this.#unsent.write(chunk) || this.#unsent.bytes <= most;
  }

  onDrain(): void {
    this.#unsent.drain();
  }

  onEnd(): void {
    this.#options.onClosed();
  }

  onClose(): void {
    this.#options.onClosed();
  }

  onHandshake(): void {}

  close(): void {
    this.#socket.terminate();
    this.#options.seat?.terminate();
  }

  /** What of it is the server's. */
  #greet(greeting: PageGreeting, bytes: Uint8Array): Uint8Array | undefined {
    const said = greeting.take(bytes);
    if (said?.reply !== undefined) this.onData(said.reply);
    if (said !== undefined && said.passed.length > 0) this.#greeting = undefined;
    return said?.passed;
  }
}

/** In lines: an agent says one in a second, and of a long one its bytes count. Half a megabyte of empty ones would take a second to read. */
const NEWS = { perSecond: 200, burst: 1_000 };
const BYTES_PER_LINE = 4096;

/** The desktop's side of what is no picture. Its end is told by the screen's; a desktop that says too much is heard no more. */
export class ControlEnd implements SocketOwner {
  readonly #socket: Pick<OwnedSocket, "terminate">;
  readonly #writer: PatientWriter;
  readonly #lines = new LineSplitter(MOST_CONTROL_BYTES);
  readonly #bucket = new TokenBucket(NEWS, performance.now());
  readonly #onNews: (news: DisplayNews) => void;

  constructor(socket: Omit<ScreenSocket, "pause" | "resume">, onNews: (news: DisplayNews) => void) {
    this.#socket = socket;
    this.#writer = new PatientWriter(socket);
    this.#onNews = onNews;
  }

  give(order: DisplayOrder): void {
    this.#writer.write(formatDisplayLine(order));
  }

  onData(chunk: Uint8Array): void {
    const lines = this.#lines.push(chunk);
    if (!this.#bucket.take(lines.length + chunk.length / BYTES_PER_LINE, performance.now()))
      return void this.#socket.terminate();
    for (const line of lines) {
      const news = line === null ? undefined : parseDisplayNews(line);
      if (news !== undefined) this.#onNews(news);
    }
  }

  onDrain(): void {
    this.#writer.drain();
  }

  onEnd(): void {}
  onClose(): void {}
  onHandshake(): void {}

  close(): void {
    this.#socket.terminate();
  }
}
