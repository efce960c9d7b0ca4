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
/** What is left of 32 bits are as many as name a slot. */
const SLOT_SHIFT = 22;
const OPAQUE = 0xff000000;
const MIX = 0x9e3779b1;

/** Holds the tables that counting needs, so that none is made for each picture. */
export class ColourCounter {
  /** Colours are kept as opaque, so no colour is zero, which is an empty slot; and signed, or they would be no small integers. */
  readonly #slots = new Int32Array(SLOTS);
  readonly #indexOf = new Uint8Array(SLOTS);
  #indexes = new Uint8Array(0);

  /** Each pixel is looked up, also one that is as the one before: a branch that can't be foretold costs more. */
  count({ pixels, start, stride, width, height }: Part): Colours {
    const [slots, indexOf] = [this.#slots.fill(0), this.#indexOf];
    if (this.#indexes.length < width * height) this.#indexes = new Uint8Array(width * height);
    const indexes = this.#indexes;
    const palette: number[] = [];
    let at = 0;
    for (let y = 0; y < height; y++) {
      const line = start + y * stride;
      for (let x = 0; x < width; x++) {
        const colour = (pixels[line + x] ?? 0) | OPAQUE;
        let slot = Math.imul(colour, MIX) >>> SLOT_SHIFT;
        while (slots[slot] !== colour) {
          if (slots[slot] === 0) {
            if (palette.length === MOST_COLOURS) return { kind: "many" };
            slots[slot] = colour;
            indexOf[slot] = palette.length;
            palette.push(colour & 0xffffff);
            break;
          }
          slot = (slot + 1) & (SLOTS - 1);
        }
        indexes[at++] = indexOf[slot] ?? 0;
      }
    }
    const [colour = 0] = palette;
    if (palette.length === 1) return { kind: "one", colour };
    return { kind: "few", palette, indexes: indexes.subarray(0, at) };
  }
}
