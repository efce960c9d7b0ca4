/** Which colours a part of a picture has: few, as text and drawings do, or many, as photos and film. */

export type Colours =
  | { readonly kind: "one"; readonly colour: number }
  /** `indexes` has a byte a pixel, line after line; good until the next count. */
  | { readonly kind: "few"; readonly palette: readonly number[]; readonly indexes: Uint8Array }
  | { readonly kind: "many" };

export type Part = {
  readonly pixels: Uint32Array;
  /** Of its first pixel, and pixels from line to line. */
  readonly start: number;
  readonly stride: number;
  readonly width: number;
  readonly height: number;
};

export const MOST_COLOURS = 256;
const SLOTS = 1024;
const OPAQUE = 0xff000000;
const MIX = 0x9e3779b1;

/** Holds the tables that counting needs, so that none is made for each picture. */
export class ColourCounter {
  /** Colours are kept as opaque, so no colour is zero, which is an empty slot. */
  readonly #slots = new Uint32Array(SLOTS);
  readonly #indexOf = new Uint8Array(SLOTS);
  #indexes = new Uint8Array(0);

  count({ pixels, start, stride, width, height }: Part): Colours {
    const [slots, indexOf] = [this.#slots.fill(0), this.#indexOf];
    if (this.#indexes.length < width * height) this.#indexes = new Uint8Array(width * height);
    const indexes = this.#indexes;
    const palette: number[] = [];
    let [lastPixel, lastIndex, at] = [-1, 0, 0];
    for (let y = 0; y < height; y++) {
      const line = start + y * stride;
      for (let x = 0; x < width; x++) {
        const pixel = pixels[line + x] ?? 0;
        if (pixel !== lastPixel) {
          lastPixel = pixel;
          const colour = (pixel | OPAQUE) >>> 0;
          let slot = Math.imul(colour, MIX) >>> 22;
          while (slots[slot] !== 0 && slots[slot] !== colour) slot = (slot + 1) & (SLOTS - 1);
          if (slots[slot] === 0) {
            if (palette.length === MOST_COLOURS) return { kind: "many" };
            slots[slot] = colour;
            indexOf[slot] = palette.length;
            palette.push(colour & 0xffffff);
          }
          lastIndex = indexOf[slot] ?? 0;
        }
        indexes[at++] = lastIndex;
      }
    }
    const [colour = 0] = palette;
    if (palette.length === 1) return { kind: "one", colour };
    return { kind: "few", palette, indexes: indexes.subarray(0, at) };
  }
}
