/**
 * Packs parts of a picture as RFB's Tight encoding, each in the way that suits its colours: one colour, a palette, JPEG for
 * photos, all pixels otherwise. What a viewer unpacks depends on what came before, so what is packed must be sent, in
 * that order.
 */

import type { Colours } from "./colours.ts";
import { areaOf, type Rectangle } from "./rectangle.ts";
import { ZlibStream } from "./zlib-stream.ts";

const TIGHT = 7;
const COPY_RECT = 1;
const [FILL, JPEG, HAS_FILTER, PALETTE] = [0x80, 0x90, 0x40, 1];
/** As TigerVNC's server has them, so that like is packed behind like. */
const STREAMS = { all: 0, two: 1, few: 2 } as const;
/** Shorter ones go as they are. */
const LEAST_PACKED = 12;
const LEVEL = 3;
const BMP_HEAD_BYTES = 54;
/** Film needs the same room again and again; what is larger is rare. */
const MOST_SPARE_BYTES = 4 * 1024 * 1024;

/** An encoded rectangle, header and all; some take a while, but all pixels have been read when it is returned. */
export type Packed = Buffer | Promise<Buffer>;

export type Pixels = { readonly pixels: Uint32Array; readonly start: number; readonly stride: number };

export class TightPacker {
  #spare: Buffer | undefined;
  readonly #streams = [new ZlibStream(LEVEL), new ZlibStream(LEVEL), new ZlibStream(LEVEL)];

  /** `colours` says which way. */
  pack(place: Rectangle, source: Pixels, colours: Colours): Packed {
    const head = headerOf(place, TIGHT);
    if (colours.kind === "one") return Buffer.concat([head, Buffer.of(FILL, ...rgb(colours.colour))]);
    if (colours.kind === "many") {
      const stream = STREAMS.all;
      return this.#basic([head, Buffer.of(stream << 4)], stream, takeRgb(place, source));
    }
    const { palette, indexes } = colours;
    const stream = palette.length === 2 ? STREAMS.two : STREAMS.few;
    const control = Buffer.of((stream << 4) | HAS_FILTER, PALETTE, palette.length - 1);
    const table = Buffer.from(palette.flatMap(rgb));
    const data = palette.length === 2 ? packBits(place, indexes) : indexes;
    return this.#basic([head, control, table], stream, data);
  }

  /** As a JPEG of that quality, which loses something. */
  async packPhoto(place: Rectangle, source: Pixels, quality: number): Promise<Buffer> {
    const sizeBytes = BMP_HEAD_BYTES + areaOf(place) * 4;
    const spare = this.#spare !== undefined && this.#spare.length >= sizeBytes ? this.#spare : undefined;
    if (spare !== undefined) this.#spare = undefined;
    const room = spare ?? Buffer.allocUnsafeSlow(sizeBytes);
    drawBitmap(room.subarray(0, sizeBytes), place, source);
    const picture = new Bun.Image(room.subarray(0, sizeBytes));
    const packed = await picture.jpeg({ quality }).bytes();
    if (room.length <= MOST_SPARE_BYTES) this.#spare = room;
    return Buffer.concat([headerOf(place, TIGHT), Buffer.of(JPEG), lengthOf(packed.length), packed]);
  }

  close(): void {
    for (const stream of this.#streams) stream.close();
  }

  #basic(heads: readonly Buffer[], stream: number, data: Uint8Array): Packed {
    if (data.length < LEAST_PACKED) return Buffer.concat([...heads, data]);
    const join = (packed: Uint8Array) => Buffer.concat([...heads, lengthOf(packed.length), packed]);
    const packing = this.#streams[stream]?.pack(data) ?? data;
    return packing instanceof Promise ? packing.then(join) : join(packing);
  }
}

/** What stands so much farther right and down is to stand at `to` as well. */
export function packCopy(to: Rectangle, dx: number, dy: number): Buffer {
  const from = Buffer.alloc(4);
  from.writeUInt16BE(to.x + dx, 0);
  from.writeUInt16BE(to.y + dy, 2);
  return Buffer.concat([headerOf(to, COPY_RECT), from]);
}

export function headerOf({ x, y, width, height }: Rectangle, encoding: number): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(x, 0);
  head.writeUInt16BE(y, 2);
  head.writeUInt16BE(width, 4);
  head.writeUInt16BE(height, 6);
  head.writeInt32BE(encoding, 8);
  return head;
}

/** Seven bits a byte, the lowest first; the third has eight. */
function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  if (length < 0x4000) return Buffer.of((length & 0x7f) | 0x80, length >> 7);
  return Buffer.of((length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14);
}

function rgb(colour: number): number[] {
  return [(colour >> 16) & 0xff, (colour >> 8) & 0xff, colour & 0xff];
}

/** A bit a pixel, each line from a byte of its own. */
function packBits({ width, height }: Rectangle, indexes: Uint8Array): Buffer {
  const lineBytes = (width + 7) >> 3;
  const bits = Buffer.alloc(lineBytes * height);
  let at = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++, at++)
      if (indexes[at] !== 0) {
        const byte = y * lineBytes + (x >> 3);
        bits[byte] = (bits[byte] ?? 0) | (0x80 >> (x & 7));
      }
  return bits;
}

function takeRgb({ width, height }: Rectangle, { pixels, start, stride }: Pixels): Buffer {
  const bytes = Buffer.allocUnsafe(width * height * 3);
  let at = 0;
  for (let y = 0; y < height; y++) {
    const line = start + y * stride;
    for (let x = 0; x < width; x++, at += 3) {
      const pixel = pixels[line + x] ?? 0;
      bytes[at] = pixel >> 16;
      bytes[at + 1] = pixel >> 8;
      bytes[at + 2] = pixel;
    }
  }
  return bytes;
}

/** The lines top to bottom, 32 bits a pixel, as a file that image programs read. */
function drawBitmap(bytes: Buffer, { width, height }: Rectangle, { pixels, start, stride }: Pixels): void {
  bytes.fill(0, 0, BMP_HEAD_BYTES);
  bytes.write("BM", "latin1");
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(BMP_HEAD_BYTES, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(-height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(32, 28);
  const source = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  if (stride === width) source.copy(bytes, BMP_HEAD_BYTES, start * 4, (start + width * height) * 4);
  else
    for (let y = 0; y < height; y++) {
      const line = (start + y * stride) * 4;
      source.copy(bytes, BMP_HEAD_BYTES + y * width * 4, line, line + width * 4);
    }
}
