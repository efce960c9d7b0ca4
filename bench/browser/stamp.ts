/**
 * The number of a frame as blocks that survive any picture's compression: a red one and a green one to be found by, then
 * eight of one bit each. The page reads it off its canvas (`watch.ts`).
 */

export const BLOCK = 16;
const BITS = 8;
export const MARK = { width: (2 + BITS) * BLOCK, height: BLOCK } as const;

/** 32-bit pixels, blue first. */
export function renderStamp(number: number): Uint8Array {
  const pixels = new Uint8Array(MARK.width * MARK.height * 4);
  for (let x = 0; x < MARK.width; x++) {
    const [red, green, blue] = colourOf(Math.floor(x / BLOCK), number);
    for (let y = 0; y < MARK.height; y++) pixels.set([blue, green, red, 0], (y * MARK.width + x) * 4);
  }
  return pixels;
}

function colourOf(block: number, number: number): readonly [number, number, number] {
  if (block === 0) return [255, 0, 0];
  if (block === 1) return [0, 255, 0];
  const level = (number >> (block - 2)) & 1 ? 255 : 0;
  return [level, level, level];
}
