/**
 * A connection to the session's X server, as much of the protocol as reading its screen takes: requests, their answers and
 * events. Little-endian, without authority: nxagent of a session asks for none. Fields are those of the X Window System
 * Protocol, version 11.
 */

import { AppError } from "../../lib/errors.ts";

type Waiting = {
  readonly sequence: number;
  readonly take: (reply: Buffer) => void;
  readonly refuse: (error: Error) => void;
};

const HELLO_MS = 10_000;
/** Programs may keep the server to themselves, as while somebody chooses what to take a picture of. */
const ANSWER_MS = 120_000;
const EVENT_BYTES = 32;
/** More is no answer to what is asked here: pictures come by shared memory. */
const MOST_REPLY_BYTES = 1024 * 1024;
const [ERROR, REPLY, GENERIC_EVENT] = [0, 1, 35];

export class XConnection {
  readonly root: number;
  readonly #socket: Bun.Socket<undefined>;
  readonly #firstId: number;
  #ids = 0;
  #sequence = 0;
  #rest: Buffer;
  #unsent: Buffer[] = [];
  /** What was asked for in one go is sent in one. */
  #unwritten: Buffer[] = [];
  #waiting: Waiting[] = [];
  #onEvent: (event: Buffer) => void = () => {};
  #onClose: () => void = () => {};
  isOpen = true;

  private constructor(socket: Bun.Socket<undefined>, setup: Buffer, rest: Buffer) {
    this.#socket = socket;
    this.#rest = rest;
    this.#firstId = setup.readUInt32LE(12);
    const vendorBytes = (setup.readUInt16LE(24) + 3) & ~3;
    this.root = setup.readUInt32LE(40 + vendorBytes + setup.readUInt8(29) * 8);
  }

  /** `path` is the server's socket. */
  static async open(path: string, timeoutMs = HELLO_MS): Promise<XConnection> {
    const opened = Promise.withResolvers<XConnection>();
    let connection: XConnection | undefined;
    let got: Buffer = Buffer.alloc(0);
    const fail = (cause?: unknown) =>
      opened.reject(new AppError("unavailable", `the X server at ${path} let nobody in`, { cause }));
    const connecting = Bun.connect<undefined>({
      unix: path,
      socket: {
        data(self, chunk) {
          if (connection !== undefined) {
            connection.#read(chunk);
            return;
          }
          got = Buffer.concat([got, chunk]);
          if (got.length < 8) return;
          const length = 8 + got.readUInt16LE(6) * 4;
          if (got.readUInt8(0) !== 1) return fail();
          if (got.length < length) return;
          connection = new XConnection(self, got.subarray(0, length), got.subarray(length));
          opened.resolve(connection);
        },
        drain() {
          if (connection !== undefined) connection.#drain();
        },
        close: () => {
          fail();
          if (connection !== undefined) connection.#end();
        },
        error: () => {},
      },
    });
    connecting.then((socket) => socket.write(helloOf()), fail);
    const timer = setTimeout(fail, timeoutMs);
    try {
      return await opened.promise;
    } catch (error) {
      connecting.then(
        (socket) => socket.terminate(),
        () => {
          // There is none to end.
        },
      );
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  watch(onEvent: (event: Buffer) => void, onClose: () => void): void {
    this.#onEvent = onEvent;
    this.#onClose = onClose;
  }

  newId(): number {
    return this.#firstId + ++this.#ids;
  }

  /** A request that X doesn't answer; `body` follows its head of four bytes. */
  send(opcode: number, detail: number, body: Buffer): void {
    const head = Buffer.alloc(4);
    head.writeUInt8(opcode, 0);
    head.writeUInt8(detail, 1);
    head.writeUInt16LE(1 + body.length / 4, 2);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    if (this.#unwritten.length === 0)
      queueMicrotask(() => this.#write(Buffer.concat(this.#unwritten.splice(0))));
    this.#unwritten.push(head, body);
  }

  /** Rejects when X refuses, or says nothing for two minutes. */
  async ask(opcode: number, detail: number, body: Buffer): Promise<Buffer> {
    if (!this.isOpen) throw closed();
    this.send(opcode, detail, body);
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    this.#waiting.push({ sequence: this.#sequence, take: resolve, refuse: reject });
    const timer = setTimeout(() => this.close(), ANSWER_MS);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#socket.terminate();
    this.#end();
  }

  #end(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (const { refuse } of this.#waiting.splice(0)) refuse(closed());
    this.#onClose();
  }

  #write(bytes: Buffer): void {
    if (this.#unsent.length > 0) return void this.#unsent.push(bytes);
    const written = Math.max(0, this.#socket.write(bytes));
    if (written < bytes.length) this.#unsent.push(bytes.subarray(written));
  }

  #drain(): void {
    for (const bytes of this.#unsent.splice(0)) this.#write(bytes);
  }

  #read(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      if (bytes.length < EVENT_BYTES) break;
      const kind = bytes.readUInt8(0);
      const more = kind === REPLY || (kind & 0x7f) === GENERIC_EVENT ? bytes.readUInt32LE(4) * 4 : 0;
      if (more > MOST_REPLY_BYTES) {
        this.close();
        return;
      }
      if (bytes.length < EVENT_BYTES + more) break;
      this.#take(kind, bytes.subarray(0, EVENT_BYTES + more));
      bytes = bytes.subarray(EVENT_BYTES + more);
    }
    this.#rest = Buffer.from(bytes);
  }

  #take(kind: number, message: Buffer): void {
    if (kind !== ERROR && kind !== REPLY) {
      this.#onEvent(message);
      return;
    }
    const [first] = this.#waiting;
    // X answers in order; an error of a request that has no answer concerns nobody who waits.
    if (first === undefined || first.sequence !== message.readUInt16LE(2)) return;
    this.#waiting.shift();
    if (kind === REPLY) first.take(Buffer.from(message));
    else first.refuse(new AppError("unavailable", `X refused a request with error ${message.readUInt8(1)}`));
  }
}

function helloOf(): Buffer {
  const hello = Buffer.alloc(12);
  hello.write("l");
  hello.writeUInt16LE(11, 2);
  return hello;
}

function closed(): AppError {
  return new AppError("unavailable", "the X server closed the connection");
}
