/**
 * The connection of a page's WebSocket, from its handshake on: frames are put on the browser's socket and taken off it here.
 * By Bun's server, behind loopback, each picture would be read and written once more.
 *
 *     open ──► leaving ──► gone      leaving: either side has said that it goes; only what was written is still sent
 *       └───────────────►
 */

import { CLOSE, formatClose, formatFrame, OPCODE } from "../../wire/websocket/frame.ts";
import { MessageReader, type WebSocketMessage } from "../../wire/websocket/message-reader.ts";
import type { OwnedSocket, SocketOwner } from "../socket.ts";
import { PAGE_PING, PAGE_PONG } from "./page-message.ts";
import type { PageSocket, PageSocketOwner } from "./page-socket.ts";
import { Unsent } from "./unsent.ts";

/** A message of noVNC's is at most some hundred bytes, a clipboard apart. */
const MOST_MESSAGE_BYTES = 1024 * 1024;
/** What may lie in our memory for a browser that doesn't read. One read of the desktop's is an eighth of it at most. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024;
/** A browser that has said nothing for so long is asked, and is gone when it hasn't answered. */
const [ASK_MS, SILENT_MS] = [30_000, 60_000];

export type PageConnectionOptions = {
  /** Where frames are made, one at a time: the same for all connections. */
  readonly room: Buffer;
  /** Goes before all else. */
  readonly unsent: readonly Uint8Array[];
  /** Comes once, when the socket is gone. */
  readonly onGone: () => void;
};

export class PageConnection implements PageSocket, SocketOwner {
  readonly #socket: OwnedSocket;
  readonly #room: Buffer;
  readonly #onGone: () => void;
  readonly #reader = new MessageReader(MOST_MESSAGE_BYTES);
  #owner: PageSocketOwner | undefined;
  readonly #unsent: Unsent;
  #isLeaving = false;
  #leavingSinceMs: number | undefined;
  #hasEnded = false;
  #wasHeard = true;
  #wasAsked = false;
  #heardMs = 0;

  constructor(socket: OwnedSocket, { room, unsent, onGone }: PageConnectionOptions) {
    this.#socket = socket;
    this.#room = room;
    this.#onGone = onGone;
    this.#unsent = new Unsent(socket, unsent);
  }

  /** Says `hello`; what comes from now on is the owner's. */
  begin(hello: Uint8Array, open: (page: PageSocket) => PageSocketOwner): void {
    this.#unsent.write(hello);
    this.#owner = open(this);
    if (this.#isLeaving) this.#tellOwner();
  }

  sendBinary(chunk: Uint8Array): number {
    return this.#send(OPCODE.binary, chunk);
  }

  sendText(text: string): number {
    return this.#send(OPCODE.text, Buffer.from(text));
  }

  /** May be called again. */
  close(code: number = CLOSE.done): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#unsent.write(formatClose(code));
    if (this.#unsent.bytes === 0) this.#finish();
    this.#tellOwner();
  }

  /** Drops it with whatever is unsent. */
  terminate(): void {
    this.#socket.terminate();
  }

  /** Called every second: asks whoever is silent, and drops who doesn't answer, or doesn't go. */
  expire(nowMs: number, { halfOpenMs }: { readonly halfOpenMs: number }): void {
    if (this.#isLeaving) {
      this.#leavingSinceMs ??= nowMs;
      if (nowMs - this.#leavingSinceMs >= halfOpenMs) this.terminate();
    } else if (this.#wasHeard) {
      this.#wasHeard = false;
      this.#wasAsked = false;
      this.#heardMs = nowMs;
    } else if (nowMs - this.#heardMs >= SILENT_MS) this.terminate();
    else if (nowMs - this.#heardMs >= ASK_MS && !this.#wasAsked) {
      this.#wasAsked = true;
      this.#send(OPCODE.ping, new Uint8Array());
    }
  }

  onData(chunk: Uint8Array): void {
    this.#wasHeard = true;
    // What comes after our word to go is nobody's.
    for (const message of this.#isLeaving ? [] : this.#reader.push(chunk)) this.#take(message);
  }

  onDrain(): void {
    if (!this.#unsent.drain()) return;
    if (this.#isLeaving) this.#finish();
    else this.#owner?.onDrain();
  }

  onEnd(): void {
    this.#hasEnded = true;
    this.#isLeaving = true;
    this.#tellOwner();
    if (this.#unsent.bytes === 0) this.#finish();
  }

  onClose(): void {
    this.#isLeaving = true;
    this.#unsent.drop();
    this.#tellOwner();
    this.#onGone();
  }

  onHandshake(): void {}

  #take(message: WebSocketMessage): void {
    // An owner may have closed it by what came before.
    if (this.#isLeaving) return;
    const { kind } = message;
    if (kind === "binary") this.#owner?.onBinary(message.bytes);
    else if (kind === "text" && message.text === PAGE_PING) this.#answer(OPCODE.text, Buffer.from(PAGE_PONG));
    else if (kind === "text") this.#owner?.onText(message.text);
    else if (kind === "close") this.close();
    else if (kind === "fault") this.close(message.code);
    // A pong has said all by having come.
    else if (kind === "ping") this.#answer(OPCODE.pong, message.bytes);
  }

  /** While it takes nothing, further answers would only pile up. */
  #answer(opcode: number, payload: Uint8Array): void {
    if (this.#unsent.bytes === 0) this.#send(opcode, payload);
  }

  #send(opcode: number, payload: Uint8Array): number {
    if (this.#isLeaving || this.#unsent.bytes + payload.length > MOST_WAITING_BYTES) return 0;
    const frame = formatFrame(opcode, payload, this.#room);
    return this.#unsent.write(frame) ? frame.length : -1;
  }

  /** Never `end()` while the browser may still send, for the reason that `PipeEnd` gives. */
  #finish(): void {
    if (this.#hasEnded) this.#socket.end();
    else this.#socket.shutdown();
  }

  #tellOwner(): void {
    const owner = this.#owner;
    this.#owner = undefined;
    owner?.onClose();
  }
}
