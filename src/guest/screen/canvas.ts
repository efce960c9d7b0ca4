/**
 * What a viewer has on its screen, pixel by pixel, and how a new picture differs from it. Lines are compared by the
 * processor's own means: a loop over pixels takes 2 ns for each, which is 4 ms for a screen of 1920×1080.
 */

import { addressOf, type IsSame, openComparing } from "./compare-memory.ts";
import type { Rectangle } from "./rectangle.ts";
import type { Picture } from "./screen-reader.ts";

const PIXEL = 4;
/** Unchanged lines between changed ones cost less than another rectangle does. */
const MOST_GAP_LINES = 4;
/** By so much a band's rectangle may be larger than what changed in it before it is cut in two. */
const MOST_WASTE = 1.25;
const WASTE_PIXELS = 1_024;

export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly bytes: Buffer;
  readonly pixels: Uint32Array;
  readonly #isSame: IsSame = openComparing();
  readonly #address: number;
  #facing: Facing | undefined;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.bytes = Buffer.alloc(width * height * PIXEL);
    this.pixels = new Uint32Array(this.bytes.buffer, this.bytes.byteOffset, width * height);
    this.#address = addressOf(this.bytes);
  }

  /** Whether line `y` of the picture, its pixels `from` to `to`, is what stands here by so much farther right and down. */
  isLineSame(picture: Picture, { y, from, to }: LinePart, dx = 0, dy = 0): boolean {
    const { address } = this.#face(picture);
    const isInside =
      y >= picture.y &&
      y < picture.y + picture.height &&
      from >= picture.x &&
      to <= picture.x + picture.width &&
      from + dx >= 0 &&
      to + dx <= this.width &&
      y + dy >= 0 &&
      y + dy < this.height;
    if (!isInside) throw new RangeError("a line was to be compared that lies outside");
    const theirs = address + ((y - picture.y) * picture.width + from - picture.x) * PIXEL;
    const ours = this.#address + ((y + dy) * this.width + from + dx) * PIXEL;
    return this.#isSame(theirs, ours, (to - from) * PIXEL);
  }

  /** As a viewer does for CopyRect: what stood at the source before is in `to` afterwards. */
  copy({ x, y, width, height }: Rectangle, dx: number, dy: number): void {
    for (let i = 0; i < height; i++) {
      const line = dy < 0 ? y + height - 1 - i : y + i;
      const source = ((line + dy) * this.width + x + dx) * PIXEL;
      this.bytes.copyWithin((line * this.width + x) * PIXEL, source, source + width * PIXEL);
    }
  }

  /** Takes over a part of the picture. */
  put(picture: Picture, { x, y, width, height }: Rectangle): void {
    for (let line = y; line < y + height; line++) {
      const source = ((line - picture.y) * picture.width + x - picture.x) * PIXEL;
      picture.bytes.copy(this.bytes, (line * this.width + x) * PIXEL, source, source + width * PIXEL);
    }
  }

  /** The lines of `within` that differ from the picture's, each as far as it does; it lies in the picture. */
  listChangedLines(picture: Picture, within: Rectangle = picture): LinePart[] {
    const lines: LinePart[] = [];
    const [left, right] = [within.x, within.x + within.width];
    const { pixels: theirs } = this.#face(picture);
    // What changes in a line is mostly below what changed in the line above.
    let [from, to] = [left, right];
    for (let y = within.y; y < within.y + within.height; y++) {
      if (this.isLineSame(picture, { y, from: left, to: right })) continue;
      if (from > left && !this.isLineSame(picture, { y, from: left, to: from })) from = left;
      if (to < right && !this.isLineSame(picture, { y, from: to, to: right })) to = right;
      const at = (y - picture.y) * picture.width - picture.x;
      const ours = y * this.width;
      while (from < to - 1 && theirs[at + from] === this.pixels[ours + from]) from++;
      while (to > from + 1 && theirs[at + to - 1] === this.pixels[ours + to - 1]) to--;
      lines.push({ y, from, to });
    }
    return lines;
  }

  /** What is asked of one picture after the other is found out once. */
  #face(picture: Picture): Facing {
    if (this.#facing?.picture === picture) return this.#facing;
    const { bytes, width, height } = picture;
    if (bytes.length < width * height * PIXEL)
      throw new RangeError("a picture has fewer pixels than it says");
    const pixels = new Uint32Array(bytes.buffer, bytes.byteOffset, width * height);
    this.#facing = { picture, pixels, address: addressOf(bytes) };
    return this.#facing;
  }
}

type Facing = { readonly picture: Picture; readonly pixels: Uint32Array; readonly address: number };

/** Pixels `from` up to, but without, `to` of a line. */
export type LinePart = { readonly y: number; readonly from: number; readonly to: number };

/** Rectangles that hold all of the lines, which go downwards: a new one where one for all would hold much besides. */
export function bandsOf(lines: readonly LinePart[]): Rectangle[] {
  const bands: Rectangle[] = [];
  let band: { top: number; bottom: number; from: number; to: number; changed: number } | undefined;
  const end = () => {
    if (band === undefined) return;
    const { top, bottom, from, to } = band;
    bands.push({ x: from, y: top, width: to - from, height: bottom - top });
  };
  for (const { y, from, to } of lines) {
    const changed = to - from;
    if (band !== undefined && y - band.bottom <= MOST_GAP_LINES) {
      const whole = { from: Math.min(band.from, from), to: Math.max(band.to, to) };
      const area = (whole.to - whole.from) * (y + 1 - band.top);
      if (area <= MOST_WASTE * (band.changed + changed) + WASTE_PIXELS) {
        band = { ...whole, top: band.top, bottom: y + 1, changed: band.changed + changed };
        continue;
      }
    }
    end();
    band = { top: y, bottom: y + 1, from, to, changed };
  }
  end();
  return bands;
}
