/**
 * Reads what a browser says on a WebSocket (RFC 6455, section 5): puts messages together from masked frames, however both
 * were cut. What can't be right ends all reading, since where the next frame begins can't be told then.
 */

import { CLOSE, FINAL, FIRST_CONTROL, MOST_CONTROL_BYTES, OPCODE } from "./frame.ts";

export type WebSocketMessage =
  | { readonly kind: "binary" | "ping" | "pong"; readonly bytes: Uint8Array }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "close" }
  /** To be closed with that code; nothing follows. */
  | { readonly kind: "fault"; readonly code: number };

type Frame = { readonly opcode: number; readonly isFinal: boolean; left: number; at: number };

const MOST_HEAD_BYTES = 14;
/** In one read, of 512 KiB at most: a mouse that moved while the line was lost for a minute has half as many. Read in some 10 ms. */
const MOST_FRAMES = 8_192;
const [MASKED, LENGTH, RESERVED, KIND] = [0x80, 0x7f, 0x70, 0x0f];

export class MessageReader {
  readonly #mostBytes: number;
  readonly #head = Buffer.alloc(MOST_HEAD_BYTES);
  #headBytes = 0;
  #maskAt = 0;
  #frame: Frame | undefined;
  /** Of the message that has begun; undefined while none has. */
  #kind: number | undefined;
  readonly #message = new Gathered();
  readonly #control = new Gathered();
  #isOver = false;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });

  /** Longer messages are a fault. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /**
   * Writes into `chunk`, of which messages may be pieces. Binary ones that came side by side are one: they are parts of a
   * stream, and whoever takes it pays for each.
   */
  push(chunk: Uint8Array): WebSocketMessage[] {
    const said: WebSocketMessage[] = [];
    let frames = 0;
    for (let at = 0; at < chunk.length && !this.#isOver; ) {
      if (this.#frame === undefined) at += this.#readHead(chunk.subarray(at), said);
      const frame = this.#frame;
      if (frame === undefined || this.#isOver) continue;
      if (++frames > MOST_FRAMES) {
        this.#fail(said, CLOSE.tooMany);
        continue;
      }
      const part = chunk.subarray(at, at + frame.left);
      at += part.length;
      this.#unmask(part, frame);
      this.#take(part, frame, said);
    }
    return said;
  }

  /** Returns how many bytes were of the head; it is whole when there is a frame. */
  #readHead(chunk: Uint8Array, said: WebSocketMessage[]): number {
    let taken = 0;
    for (; taken < chunk.length; ) {
      this.#head[this.#headBytes++] = chunk[taken++] ?? 0;
      if (this.#headBytes < 2) continue;
      const short = (this.#head[1] ?? 0) & LENGTH;
      this.#maskAt = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (this.#headBytes < this.#maskAt + 4) continue;
      this.#headBytes = 0;
      const frame = this.#parseHead(short);
      const code = this.#judge(frame);
      if (code !== undefined) this.#fail(said, code);
      else this.#frame = frame;
      break;
    }
    return taken;
  }

  #parseHead(short: number): Frame {
    const opcode = (this.#head[0] ?? 0) & KIND;
    const isFinal = ((this.#head[0] ?? 0) & FINAL) !== 0;
    const long = () => this.#head.readUInt32BE(2) * 2 ** 32 + this.#head.readUInt32BE(6);
    const left = short === 127 ? long() : short === 126 ? this.#head.readUInt16BE(2) : short;
    return { opcode, isFinal, left, at: 0 };
  }

  /** The code of what is wrong with it. */
  #judge({ opcode, isFinal, left }: Frame): number | undefined {
    const [first = 0, second = 0] = this.#head;
    if ((first & RESERVED) !== 0 || (second & MASKED) === 0) return CLOSE.protocol;
    if (opcode >= FIRST_CONTROL) {
      const isKnown = opcode === OPCODE.close || opcode === OPCODE.ping || opcode === OPCODE.pong;
      return isKnown && isFinal && left <= MOST_CONTROL_BYTES ? undefined : CLOSE.protocol;
    }
    const isBegin = opcode === OPCODE.text || opcode === OPCODE.binary;
    const isDue = this.#kind === undefined ? isBegin : opcode === OPCODE.more;
    if (!isDue) return CLOSE.protocol;
    return this.#message.length + left > this.#mostBytes ? CLOSE.tooLarge : undefined;
  }

  #unmask(part: Uint8Array, frame: Frame): void {
    for (let i = 0; i < part.length; i++)
      part[i] = (part[i] ?? 0) ^ (this.#head[this.#maskAt + ((frame.at + i) & 3)] ?? 0);
    frame.at += part.length;
    frame.left -= part.length;
  }

  #take(part: Uint8Array, frame: Frame, said: WebSocketMessage[]): void {
    const isControl = frame.opcode >= FIRST_CONTROL;
    const gathered = isControl ? this.#control : this.#message;
    if (!isControl) this.#kind ??= frame.opcode;
    const isWhole = frame.left === 0 && frame.isFinal;
    // Nearly always all of it is there at once, and needs no copy.
    const bytes = isWhole && gathered.length === 0 ? part : gathered.push(part);
    if (frame.left === 0) this.#frame = undefined;
    if (!isWhole) return;
    gathered.clear();
    const kind = isControl ? frame.opcode : this.#kind;
    if (!isControl) this.#kind = undefined;
    if (kind === OPCODE.binary) takeBinary(bytes, said);
    else if (kind === OPCODE.text) this.#takeText(bytes, said);
    else if (kind === OPCODE.ping) said.push({ kind: "ping", bytes });
    else if (kind === OPCODE.pong) said.push({ kind: "pong", bytes });
    else {
      this.#isOver = true;
      said.push({ kind: "close" });
    }
  }

  #takeText(bytes: Uint8Array, said: WebSocketMessage[]): void {
    try {
      said.push({ kind: "text", text: this.#decoder.decode(bytes) });
    } catch {
      // It isn't UTF-8.
      this.#fail(said, CLOSE.notText);
    }
  }

  #fail(said: WebSocketMessage[], code: number): void {
    this.#isOver = true;
    said.push({ kind: "fault", code });
  }
}

/** Where the message before lies in the same chunk, with but this one's head between them, it moves there. */
function takeBinary(bytes: Uint8Array, said: WebSocketMessage[]): void {
  const last = said.at(-1);
  if (last?.kind !== "binary" || last.bytes.buffer !== bytes.buffer) {
    said.push({ kind: "binary", bytes });
    return;
  }
  const { byteOffset, length } = last.bytes;
  const from = bytes.byteOffset - byteOffset;
  const both = new Uint8Array(bytes.buffer, byteOffset, from + bytes.length);
  both.copyWithin(length, from);
  said[said.length - 1] = { kind: "binary", bytes: both.subarray(0, length + bytes.length) };
}

/** Bytes that came in pieces; grows by doubling, so that many small pieces cost no more than a few large ones. */
class Gathered {
  #room = Buffer.alloc(0);
  length = 0;

  /** All that there is since it was cleared. */
  push(part: Uint8Array): Uint8Array {
    const length = this.length + part.length;
    if (length > this.#room.length) {
      const room = Buffer.alloc(Math.max(length, 2 * this.#room.length));
      room.set(this.#room.subarray(0, this.length));
      this.#room = room;
    }
    this.#room.set(part, this.length);
    this.length = length;
    return this.#room.subarray(0, length);
  }

  /** What was there is whoever's has it. */
  clear(): void {
    this.#room = Buffer.alloc(0);
    this.length = 0;
  }
}
