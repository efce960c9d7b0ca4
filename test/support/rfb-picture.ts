/**
 * A viewer's screen, made from updates of RFB (raw, CopyRect, Tight) as they come, independently of what makes them. What
 * came as JPEG is remembered as not exact, until something exact comes there.
 */

import { constants, createInflate, type Inflate } from "node:zlib";

/** A colour that nobody draws with. */
export const UNSEEN = 0x123456;
const [RAW, COPY, TIGHT] = [0, 1, 7];

/** Reads on from `at`; throws `Incomplete` when there is no more. */
class Cursor {
  at = 0;
  readonly bytes: Buffer;
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
  take(count: number): Buffer {
    if (this.at + count > this.bytes.length) throw new Incomplete();
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
  u8 = () => this.take(1).readUInt8(0);
  u16 = () => this.take(2).readUInt16BE(0);
  /** Tight's own length. */
  length(): number {
    const low = this.u8();
    if (low < 0x80) return low;
    const middle = this.u8();
    if (middle < 0x80) return (low & 0x7f) | (middle << 7);
    return (low & 0x7f) | ((middle & 0x7f) << 7) | (this.u8() << 14);
  }
}

export class Incomplete extends Error {}

type Place = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
type Paint = () => void | Promise<void>;

export class RfbPicture {
  width: number;
  height: number;
  /** 0xRRGGBB each. */
  pixels: Uint32Array;
  /** 1 where a JPEG lies. */
  lossy: Uint8Array;
  readonly seen = { raw: 0, copy: 0, fill: 0, palette: 0, full: 0, jpeg: 0 };
  readonly #streams: (Inflate | undefined)[] = [];

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint32Array(width * height).fill(UNSEEN);
    this.lossy = new Uint8Array(width * height);
  }

  /** Nothing of what was there is kept but what packed streams know. */
  resize(width: number, height: number): void {
    this.width = width;
    this.height = height;
    this.pixels = new Uint32Array(width * height).fill(UNSEEN);
    this.lossy = new Uint8Array(width * height);
  }

  /** Applies the update that `bytes` begin with and returns its length; throws `Incomplete`, having done nothing. */
  async apply(bytes: Buffer): Promise<number> {
    const { length, paints } = this.read(bytes);
    for (const paint of paints) await paint();
    return length;
  }

  /** What is to be done for the update that `bytes` begin with. */
  read(bytes: Buffer): { readonly length: number; readonly paints: readonly Paint[] } {
    const cursor = new Cursor(bytes);
    if (cursor.u16() !== 0) throw new Error("this is no update");
    const paints: Paint[] = [];
    for (let left = cursor.u16(); left > 0; left--) paints.push(this.#readRectangle(cursor));
    return { length: cursor.at, paints };
  }

  #readRectangle(cursor: Cursor): Paint {
    const place = { x: cursor.u16(), y: cursor.u16(), width: cursor.u16(), height: cursor.u16() };
    const encoding = cursor.take(4).readInt32BE(0);
    if (place.width === 0 || place.x + place.width > this.width || place.y + place.height > this.height)
      throw new Error(`a rectangle beyond the screen: ${JSON.stringify(place)}`);
    if (encoding === COPY) return this.#readCopy(cursor, place);
    if (encoding === TIGHT) return this.#readTight(cursor, place);
    if (encoding !== RAW) throw new Error(`encoding ${encoding} was not asked for`);
    const raw = cursor.take(place.width * place.height * 4);
    return () => {
      this.seen.raw++;
      this.#fill(place, (at) => raw.readUInt32LE(at * 4) & 0xffffff);
    };
  }

  #readCopy(cursor: Cursor, { x, y, width, height }: Place): Paint {
    const [fromX, fromY] = [cursor.u16(), cursor.u16()];
    if (fromX + width > this.width || fromY + height > this.height) throw new Error("a copy from beyond");
    return () => {
      this.seen.copy++;
      const [pixels, lossy] = [this.pixels.slice(), this.lossy.slice()];
      for (let line = 0; line < height; line++) {
        const [from, to] = [(fromY + line) * this.width + fromX, (y + line) * this.width + x];
        this.pixels.set(pixels.subarray(from, from + width), to);
        this.lossy.set(lossy.subarray(from, from + width), to);
      }
    };
  }

  #readTight(cursor: Cursor, place: Place): Paint {
    const control = cursor.u8();
    if ((control & 0x0f) !== 0) throw new Error("a stream begins anew");
    const colour = () => cursor.take(3).readUIntBE(0, 3);
    if (control === 0x80) {
      const only = colour();
      return () => {
        this.seen.fill++;
        this.#fill(place, () => only);
      };
    }
    if (control === 0x90) {
      const jpeg = cursor.take(cursor.length());
      if (jpeg.readUInt16BE(0) !== 0xffd8) throw new Error("this is no JPEG");
      return () => {
        this.seen.jpeg++;
        this.#fill(place, () => 0);
        this.#markLossy(place);
      };
    }
    if ((control & 0x80) !== 0) throw new Error(`control ${control}`);
    const stream = (control >> 4) & 3;
    const filter = (control & 0x40) === 0 ? 0 : cursor.u8();
    if (filter === 0) {
      const unpack = this.#readBasic(cursor, stream, place.width * place.height * 3);
      return async () => {
        this.seen.full++;
        const data = await unpack();
        this.#fill(place, (at) => data.readUIntBE(at * 3, 3));
      };
    }
    if (filter !== 1) throw new Error(`filter ${filter}`);
    const palette = Array.from({ length: cursor.u8() + 1 }, colour);
    const lineBytes = palette.length > 2 ? place.width : (place.width + 7) >> 3;
    const unpack = this.#readBasic(cursor, stream, lineBytes * place.height);
    return async () => {
      this.seen.palette++;
      const data = await unpack();
      this.#fill(place, (at) => {
        if (palette.length > 2) return palette[data[at] ?? 0] ?? -1;
        const [x, y] = [at % place.width, Math.floor(at / place.width)];
        return palette[((data[y * lineBytes + (x >> 3)] ?? 0) >> (7 - (x & 7))) & 1] ?? -1;
      });
    };
  }

  #readBasic(cursor: Cursor, stream: number, size: number): () => Promise<Buffer> {
    if (size < 12) {
      const data = cursor.take(size);
      return async () => data;
    }
    const packed = cursor.take(cursor.length());
    return () => this.#inflate(stream, packed, size);
  }

  async #inflate(stream: number, packed: Buffer, size: number): Promise<Buffer> {
    this.#streams[stream] ??= createInflate({ finishFlush: constants.Z_SYNC_FLUSH });
    const inflate = this.#streams[stream];
    const got: Buffer[] = [];
    const take = (chunk: Buffer) => void got.push(chunk);
    inflate.on("data", take);
    const failed = Promise.withResolvers<void>();
    inflate.once("error", failed.reject);
    inflate.write(packed);
    const flushed = new Promise<void>((resolve) => inflate.flush(constants.Z_SYNC_FLUSH, () => resolve()));
    await Promise.race([flushed, failed.promise]);
    inflate.off("data", take);
    inflate.off("error", failed.reject);
    const data = Buffer.concat(got);
    if (data.length !== size) throw new Error(`${data.length} bytes where ${size} were to come`);
    return data;
  }

  #fill({ x, y, width, height }: Place, pixelAt: (at: number) => number): void {
    for (let line = 0; line < height; line++)
      for (let column = 0; column < width; column++) {
        const at = (y + line) * this.width + x + column;
        this.pixels[at] = pixelAt(line * width + column);
        this.lossy[at] = 0;
      }
  }

  #markLossy({ x, y, width, height }: Place): void {
    for (let line = y; line < y + height; line++)
      this.lossy.fill(1, line * this.width + x, line * this.width + x + width);
  }
}
