/** A screen that is drawn on at random as desktops are: text, scrolls, windows moved, photos. What was drawn on is told. */

import type { Rectangle } from "../../src/guest/screen/rectangle.ts";
import type { Look } from "../../src/guest/screen/screen-reader.ts";
import type { Move } from "../../src/guest/screen/window-moves.ts";

export type Random = () => number;

/** The same numbers for the same seed (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export class DrawnScreen {
  readonly whole: Rectangle;
  readonly pixels: Uint32Array;
  readonly #random: Random;
  #window: Rectangle;
  #scrolled: { readonly place: Rectangle; readonly dy: number } | undefined;

  constructor(size: { readonly width: number; readonly height: number }, random: Random) {
    this.whole = { x: 0, y: 0, ...size };
    this.pixels = new Uint32Array(size.width * size.height).fill(0xffffff);
    this.#random = random;
    this.#window = { x: 10, y: 10, width: Math.floor(size.width / 2), height: Math.floor(size.height / 2) };
    this.write(this.whole, 3);
  }

  /** Some change, and how it is told of. */
  change(): { readonly damaged: readonly Rectangle[]; readonly moves: readonly Move[] } {
    const place = this.#anyPlace();
    const dice = this.#random();
    if (dice < 0.1) return this.scroll(place, this.#pick(-20, 20));
    if (dice < 0.25) return this.#scrollOn(place);
    if (dice < 0.45) return this.drag(this.#pick(-20, 20), this.#pick(-20, 20));
    if (dice < 0.6) this.write(place, this.#pick(2, 9));
    else if (dice < 0.7) this.write(place, 0x1000000);
    else if (dice < 0.85) this.#fill(place, this.#pick(0, 0xffffff));
    else this.#touch(place);
    // Now and then more is told than was drawn on, and of windows that weren't moved.
    const damaged = this.#random() < 0.2 ? [this.whole] : [place, this.#anyPlace()];
    const wrong = { to: this.#anyPlace(), dx: this.#pick(-9, 9), dy: this.#pick(-9, 9) };
    return { damaged, moves: this.#random() < 0.2 ? [wrong] : [] };
  }

  /** As before, mostly; else over the same place, or by as much elsewhere. Now and then something else changes, too. */
  #scrollOn(place: Rectangle): { readonly damaged: readonly Rectangle[]; readonly moves: readonly Move[] } {
    const { place: before = place, dy = 12 } = this.#scrolled ?? {};
    const dice = this.#random();
    const where = dice < 0.8 ? before : place;
    const told = this.scroll(where, dice < 0.6 || dice >= 0.8 ? dy : dy + this.#pick(-2, 2));
    const bar = this.#pick(where.y, where.y + where.height - 1);
    if (this.#random() < 0.4) this.write({ ...where, y: bar, height: 1 }, 2);
    if (this.#random() < 0.5) return told;
    this.#touch(this.#anyPlace());
    this.#touch({ ...where, x: 0, y: bar });
    return { ...told, damaged: [this.whole] };
  }

  scroll(
    place: Rectangle,
    dy: number,
  ): { readonly damaged: readonly Rectangle[]; readonly moves: readonly Move[] } {
    this.#scrolled = { place, dy };
    this.#copy(place, 0, dy);
    const lines = Math.min(Math.abs(dy), place.height);
    this.write({ ...place, y: dy > 0 ? place.y + place.height - lines : place.y, height: lines }, 4);
    return { damaged: [place], moves: [] };
  }

  /** Moves the one window. */
  drag(
    right: number,
    down: number,
  ): { readonly damaged: readonly Rectangle[]; readonly moves: readonly Move[] } {
    const from = this.#window;
    const clamp = (at: number, most: number) => Math.min(Math.max(at, 0), most);
    const to = {
      ...from,
      x: clamp(from.x + right, this.whole.width - from.width),
      y: clamp(from.y + down, this.whole.height - from.height),
    };
    const before = this.pixels.slice();
    this.write(from, 3);
    for (let line = 0; line < to.height; line++) {
      const source = (from.y + line) * this.whole.width + from.x;
      this.pixels.set(before.subarray(source, source + to.width), (to.y + line) * this.whole.width + to.x);
    }
    this.#window = to;
    return { damaged: [from, to], moves: [{ to, dx: from.x - to.x, dy: from.y - to.y }] };
  }

  /** Pixels of so many colours. */
  write({ x, y, width, height }: Rectangle, colours: number): void {
    const palette = Array.from({ length: Math.min(colours, 9) }, () => this.#pick(0, 0xffffff));
    const isPhoto = colours > palette.length;
    for (let line = y; line < y + height; line++)
      for (let column = x; column < x + width; column++) {
        const any = isPhoto ? this.#pick(0, 0xffffff) : palette[this.#pick(0, palette.length - 1)];
        this.pixels[line * this.whole.width + column] = any ?? 0;
      }
  }

  /** What X would hand over of those parts. */
  look(damaged: readonly Rectangle[], moves: readonly Move[]): Look {
    const pictures = damaged.map((place) => {
      const pixels = new Uint32Array(place.width * place.height);
      for (let line = 0; line < place.height; line++) {
        const source = (place.y + line) * this.whole.width + place.x;
        pixels.set(this.pixels.subarray(source, source + place.width), line * place.width);
      }
      return { ...place, bytes: Buffer.from(pixels.buffer) };
    });
    return { pictures, moves };
  }

  #touch({ x, y }: Rectangle): void {
    this.pixels[y * this.whole.width + x] = this.#pick(0, 0xffffff);
  }

  #fill({ x, y, width, height }: Rectangle, colour: number): void {
    for (let line = y; line < y + height; line++)
      this.pixels.fill(colour, line * this.whole.width + x, line * this.whole.width + x + width);
  }

  #copy({ x, y, width, height }: Rectangle, dx: number, dy: number): void {
    const before = this.pixels.slice();
    for (let line = y; line < y + height; line++) {
      if (line + dy < y || line + dy >= y + height) continue;
      const source = (line + dy) * this.whole.width + x + dx;
      this.pixels.set(before.subarray(source, source + width), line * this.whole.width + x);
    }
  }

  #anyPlace(): Rectangle {
    const { width, height } = this.whole;
    const place = { width: this.#pick(1, width), height: this.#pick(1, height) };
    return { x: this.#pick(0, width - place.width), y: this.#pick(0, height - place.height), ...place };
  }

  #pick(least: number, most: number): number {
    return least + Math.floor(this.#random() * (most - least + 1));
  }
}
