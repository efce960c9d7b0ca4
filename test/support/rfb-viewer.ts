/** A viewer of RFB 3.8 for tests: takes raw pixels, counts colours, types. */

import { waitFor } from "../../src/lib/wait.ts";
import { ViewerProof } from "../../src/wire/display/viewer-proof.ts";

export type RfbTarget = {
  readonly hostname: string;
  readonly port: number;
  /** Sent first; answered by a line `OK`. Without one there is no door before the screen. */
  readonly hello?: string;
  /** What the server has to be proved to be known. */
  readonly key?: string;
};

export type Picture = {
  readonly size: { readonly width: number; readonly height: number };
  /** How many pixels have that colour, as 0xRRGGBB. */
  readonly count: (colour: number) => number;
};

type Rectangle = [x: number, y: number, width: number, height: number];

const TIMEOUT_MS = 60_000;
const RAW = 0;
const DESKTOP_SIZE = -223;

export class RfbViewer {
  size = { width: 0, height: 0 };
  isClosed = false;
  #received = Buffer.alloc(0);
  #socket: Bun.Socket<undefined> | undefined;
  #pixels = Buffer.alloc(0);
  #wake = Promise.withResolvers<void>();

  /** Resolves after the greetings; only the screen's channel has any of RFB's. */
  static async open(target: RfbTarget): Promise<RfbViewer> {
    const viewer = new RfbViewer();
    viewer.#socket = await Bun.connect({
      hostname: target.hostname,
      port: target.port,
      socket: {
        data: (_socket, chunk) => {
          viewer.#received = Buffer.concat([viewer.#received, chunk]);
          viewer.#stir();
        },
        close: () => {
          viewer.isClosed = true;
          viewer.#stir();
        },
        error: () => {},
      },
    });
    const { hello, key } = target;
    if (hello !== undefined) {
      viewer.send(hello);
      const answer = (await viewer.#take(3)).toString("latin1");
      if (answer !== "OK\n") throw new Error(`the door said ${answer}`);
    }
    if (hello === undefined || hello.includes(" rfb")) await viewer.#greet(key);
    return viewer;
  }

  send(data: string | Uint8Array): void {
    this.#socket?.write(data);
  }

  close(): void {
    this.#socket?.end();
  }

  key(keysym: number, isDown: boolean): void {
    const message = Buffer.alloc(8);
    message.writeUInt8(4, 0);
    message.writeUInt8(isDown ? 1 : 0, 1);
    message.writeUInt32BE(keysym, 4);
    this.send(message);
  }

  /** As a browser sends it: Shift is held for capitals. */
  type(text: string, options: { readonly withoutShift?: boolean } = {}): void {
    for (const letter of text) {
      const hasShift = !options.withoutShift && letter !== letter.toLowerCase();
      if (hasShift) this.key(0xffe1, true);
      this.key(keysymOf(letter), true);
      this.key(keysymOf(letter), false);
      if (hasShift) this.key(0xffe1, false);
    }
  }

  click(x: number, y: number): void {
    for (const buttons of [0, 1, 0]) {
      const message = Buffer.alloc(6);
      message.writeUInt8(5, 0);
      message.writeUInt8(buttons, 1);
      message.writeUInt16BE(x, 2);
      message.writeUInt16BE(y, 4);
      this.send(message);
    }
  }

  /** Asks for the whole screen and waits for a picture. */
  async look(): Promise<Picture> {
    this.#ask();
    let painted = 0;
    while (painted < this.size.width * this.size.height) {
      const kind = (await this.#take(1)).readUInt8();
      if (kind === 3) await this.#take((await this.#take(7)).readUInt32BE(3));
      else if (kind !== 0 && kind !== 2) throw new Error(`message ${kind} of RFB`);
      if (kind !== 0) continue;
      const { pixels, isResized } = await this.#readUpdate();
      painted = isResized ? 0 : painted + pixels;
      if (isResized) this.#ask();
    }
    const { pixels, size } = { pixels: Buffer.from(this.#pixels), size: { ...this.size } };
    return {
      size,
      count(colour) {
        const values = new Uint32Array(pixels.buffer, pixels.byteOffset, pixels.length / 4);
        return values.reduce((sum, value) => sum + ((value & 0xffffff) === colour ? 1 : 0), 0);
      },
    };
  }

  #ask(): void {
    const ask = Buffer.alloc(10);
    ask.writeUInt8(3, 0);
    ask.writeUInt16BE(this.size.width, 6);
    ask.writeUInt16BE(this.size.height, 8);
    this.send(ask);
  }

  async #greet(key: string | undefined): Promise<void> {
    if (key !== undefined) await this.#prove(new ViewerProof(key));
    else {
      await this.#take(12);
      this.send("RFB 003.008\n");
      await this.#take((await this.#take(1)).readUInt8());
      this.send(new Uint8Array([1]));
      await this.#take(4);
    }
    this.send(new Uint8Array([1]));
    const init = await this.#take(24);
    this.size = { width: init.readUInt16BE(0), height: init.readUInt16BE(2) };
    this.#pixels = Buffer.alloc(this.size.width * this.size.height * 4);
    await this.#take(init.readUInt32BE(20));
    const encodings = Buffer.alloc(12);
    encodings.writeUInt8(2, 0);
    encodings.writeUInt16BE(2, 2);
    encodings.writeInt32BE(RAW, 4);
    encodings.writeInt32BE(DESKTOP_SIZE, 8);
    this.send(encodings);
  }

  async #prove(proof: ViewerProof): Promise<void> {
    this.send(ViewerProof.hello);
    for (;;) {
      const step = proof.take(await this.#take(1));
      if (step.kind === "answer") this.send(step.bytes);
      if (step.kind === "refused") throw new Error("the server refused");
      if (step.kind === "in") return;
    }
  }

  /** A server may send a picture in one rectangle or in many. */
  async #readUpdate(): Promise<{ readonly pixels: number; readonly isResized: boolean }> {
    const rectangles = (await this.#take(3)).readUInt16BE(1);
    let pixels = 0;
    let isResized = false;
    for (let index = 0; index < rectangles; index++) {
      const head = await this.#take(12);
      const [x, y, width, height] = [0, 2, 4, 6].map((at) => head.readUInt16BE(at)) as Rectangle;
      const encoding = head.readInt32BE(8);
      if (encoding === DESKTOP_SIZE) {
        this.size = { width, height };
        this.#pixels = Buffer.alloc(width * height * 4);
        isResized = true;
      } else if (encoding === RAW) {
        const rows = await this.#take(width * height * 4);
        for (let row = 0; row < height; row++)
          rows.copy(
            this.#pixels,
            ((y + row) * this.size.width + x) * 4,
            row * width * 4,
            (row + 1) * width * 4,
          );
        pixels += width * height;
      } else throw new Error(`encoding ${encoding} of RFB`);
    }
    return { pixels, isResized };
  }

  async #take(length: number): Promise<Buffer> {
    const end = performance.now() + TIMEOUT_MS;
    while (this.#received.length < length) {
      if (this.isClosed) throw new Error("the connection was closed");
      const leftMs = end - performance.now();
      if (leftMs <= 0) throw new Error("nothing more came");
      await Promise.race([this.#wake.promise, waitFor(() => false, { timeoutMs: Math.min(leftMs, 500) })]);
    }
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  #stir(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}

function keysymOf(letter: string): number {
  if (letter === "\n") return 0xff0d;
  if (letter === "€") return 0x20ac;
  const code = letter.codePointAt(0) ?? 0;
  return code < 256 ? code : 0x1000000 + code;
}
