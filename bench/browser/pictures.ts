/** Pictures that are hard in the ways that desktops are: text (sharp, two colours, never the same) and film (smooth, many). */

import { seededRandom } from "./seeded-random.ts";

type Size = { readonly width: number; readonly height: number };

const GLYPH = { width: 8, height: 12 };

/** Dark letters of no alphabet on white: lines of words. */
export function paintText({ width, height }: Size, seed: number): Uint8Array {
  const random = seededRandom(seed + 1);
  const pixels = new Uint8Array(width * height * 4).fill(255);
  for (let top = 0; top + GLYPH.height <= height; top += GLYPH.height)
    for (let left = 0; left + GLYPH.width <= width; left += GLYPH.width) {
      if (random() < 0.17) continue;
      const glyph = Math.floor(random() * 40);
      paintGlyph(pixels, width, { left, top, shape: seededRandom(glyph + 1000) });
    }
  return pixels;
}

/** Some strokes, with the soft edges that letters have. */
function paintGlyph(
  pixels: Uint8Array,
  width: number,
  at: { readonly left: number; readonly top: number; readonly shape: () => number },
): void {
  const { left, top, shape } = at;
  for (let stroke = 0; stroke < 3; stroke++) {
    const isUpright = shape() < 0.5;
    const place = 1 + Math.floor(shape() * 5);
    for (let along = 2; along < (isUpright ? 10 : 7); along++)
      for (const [off, shade] of [
        [0, 40],
        [1, 170],
      ] as const) {
        const [x, y] = isUpright ? [place + off, along] : [along - 1, 2 + place + off];
        pixels.fill(shade, ((top + y) * width + left + x) * 4, ((top + y) * width + left + x) * 4 + 3);
      }
  }
}

/** One moment, 0 to 1, of a film that ends where it began: waves of colour, and the grain of a camera. */
export function paintPlasma({ width, height }: Size, moment: number): Uint8Array {
  const random = seededRandom(Math.round(moment * 1000) + 1);
  const turn = moment * 2 * Math.PI;
  const pixels = new Uint8Array(width * height * 4);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at += 4) {
      const a = Math.sin(x / 47 + turn);
      const b = Math.sin((x + y) / 61 - turn);
      const c = Math.sin(Math.hypot(x - width / 2, y - height / 2) / 23 - turn);
      const grain = (random() - 0.5) * 8;
      pixels[at] = 128 + 60 * a + 40 * c + grain;
      pixels[at + 1] = 128 + 60 * b + 40 * c + grain;
      pixels[at + 2] = 128 + 50 * (a + b) + grain;
    }
  return pixels;
}
