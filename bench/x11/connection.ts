/**
 * A connection to an X server, with as much of the protocol as measuring takes: it draws, and reads pixels back, without
 * a program started for each look. Little-endian, no authority, events left aside but for those that are asked for.
 * Numbers of requests and fields are those of the X Window System Protocol, version 11.
 */

import { connect, type Socket } from "node:net";

export type X11Root = { readonly window: number; readonly width: number; readonly height: number };

type Waiting = { readonly sequence: number; readonly take: (reply: Buffer) => void };

const CONNECT_MS = 10_000;

export class X11Connection {
  readonly #socket: Socket;
  readonly root: X11Root;
  /** Depth of the root window, which all windows here have. */
  readonly depth: number;
  readonly #firstId: number;
  #ids = 0;
  #sequence = 0;
  #mostWords = 0xffff;
  #rest: Buffer = Buffer.alloc(0);
  readonly #waiting: Waiting[] = [];
  readonly #listeners = new Set<(event: Buffer) => void>();

  private constructor(socket: Socket, setup: Buffer) {
    this.#socket = socket;
    this.#firstId = setup.readUInt32LE(12);
    const vendorBytes = (setup.readUInt16LE(24) + 3) & ~3;
    const screen = 40 + vendorBytes + setup.readUInt8(29) * 8;
    this.root = {
      window: setup.readUInt32LE(screen),
      width: setup.readUInt16LE(screen + 20),
      height: setup.readUInt16LE(screen + 22),
    };
    this.depth = setup.readUInt8(screen + 38);
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
  }

  /** `path` is the server's socket. */
  static async open(path: string): Promise<X11Connection> {
    const socket = connect(path);
    socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error(`${path} did not answer in 10 s`)));
    const hello = Buffer.alloc(12);
    hello.write("l");
    hello.writeUInt16LE(11, 2);
    socket.write(hello);
    const setup = await new Promise<Buffer>((resolve, reject) => {
      let got: Buffer = Buffer.alloc(0);
      const take = (chunk: Buffer) => {
        got = Buffer.concat([got, chunk]);
        if (got.length < 8 || got.length < 8 + got.readUInt16LE(6) * 4) return;
        socket.off("data", take);
        resolve(got);
      };
      socket.on("data", take);
      socket.on("error", reject);
      socket.on("close", () => reject(new Error(`${path} closed the connection`)));
    });
    socket.setTimeout(0);
    if (setup[0] !== 1) throw new Error(`the X server at ${path} lets nobody in`);
    return new X11Connection(socket, setup);
  }

  newId(): number {
    return this.#firstId + ++this.#ids;
  }

  /** A length of 16 bits doesn't hold a picture: requests may have one of 32 afterwards, where the server knows how. */
  async allowBigRequests(): Promise<void> {
    const name = Buffer.from("BIG-REQUESTS");
    const found = await this.ask(98, 0, Buffer.concat([fields([2, name.length], [2, 0]), name]));
    if (found[8] !== 1) throw new Error("the X server takes no long requests");
    await this.ask(found.readUInt8(9), 0, Buffer.alloc(0));
    this.#mostWords = 0x3f_ffff;
  }

  /** Sends a request: its opcode, the byte beside it, and what follows, padded here. */
  send(opcode: number, detail: number, body: Buffer): void {
    const words = 1 + Math.ceil(body.length / 4);
    if (words > this.#mostWords) throw new Error(`a request of ${body.length} bytes is too long for X`);
    const isBig = words > 0xffff;
    const head = Buffer.alloc(isBig ? 8 : 4);
    head.writeUInt8(opcode, 0);
    head.writeUInt8(detail, 1);
    head.writeUInt16LE(isBig ? 0 : words, 2);
    if (isBig) head.writeUInt32LE(words + 1, 4);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#socket.cork();
    this.#socket.write(head);
    this.#socket.write(body);
    if (body.length % 4 !== 0) this.#socket.write(Buffer.alloc(4 - (body.length % 4)));
    this.#socket.uncork();
  }

  /** Sends a request and waits for its reply; rejects when the server refuses it. */
  async ask(opcode: number, detail: number, body: Buffer): Promise<Buffer> {
    this.send(opcode, detail, body);
    const sequence = this.#sequence;
    const reply = await new Promise<Buffer>((take) => this.#waiting.push({ sequence, take }));
    if (reply[0] === 0) throw new Error(`X refused request ${opcode}: error ${reply[1]}`);
    return reply;
  }

  onEvent(listener: (event: Buffer) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether the server still reads what is sent. */
  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  close(): void {
    this.#socket.destroy();
    for (const { take } of this.#waiting.splice(0)) take(Buffer.alloc(32));
  }

  #read(chunk: Buffer): void {
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (rest.length >= 32) {
      const size = rest[0] === 1 ? 32 + rest.readUInt32LE(4) * 4 : 32;
      if (rest.length < size) break;
      this.#take(rest.subarray(0, size));
      rest = rest.subarray(size);
    }
    this.#rest = rest;
  }

  #take(message: Buffer): void {
    const kind = message[0] ?? 0;
    if (kind > 1) {
      for (const listener of this.#listeners) listener(message);
      return;
    }
    const sequence = message.readUInt16LE(2);
    const at = this.#waiting.findIndex((one) => one.sequence === sequence);
    // An error of a request without a reply: nobody waits for it.
    if (at === -1) return;
    const [found] = this.#waiting.splice(at, 1);
    found?.take(message);
  }
}

/** Fields of a request, little-endian: [bytes, value] each. */
export function fields(...parts: readonly (readonly [1 | 2 | 4, number])[]): Buffer {
  const bytes = Buffer.alloc(parts.reduce((sum, [size]) => sum + size, 0));
  let at = 0;
  for (const [size, value] of parts) {
    bytes.writeUIntLE(size === 4 ? value >>> 0 : value & (size === 2 ? 0xffff : 0xff), at, size);
    at += size;
  }
  return bytes;
}

/** A part of a window as 32-bit pixels, blue first. */
export async function readPixels(
  x11: X11Connection,
  area: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  window = x11.root.window,
): Promise<Buffer> {
  const body = fields(
    [4, window],
    [2, area.x],
    [2, area.y],
    [2, area.width],
    [2, area.height],
    [4, 0xffffffff],
  );
  return (await x11.ask(73, 2, body)).subarray(32);
}
