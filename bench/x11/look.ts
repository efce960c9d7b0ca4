/** Looks at a screen so lightly that the look doesn't compete with what is measured: some of its rows, by one connection. */

import type { Colour } from "../screen.ts";
import { readPixels, X11Connection } from "./connection.ts";

export type Look = {
  /** Share of the rows' pixels that have this colour, or one that nobody could tell from it, 0 to 1. */
  readCover(colour: Colour): Promise<number>;
  close(): void;
};

const ROWS = 6;

export async function openLook(display: string): Promise<Look> {
  const x11 = await X11Connection.open(`/tmp/.X11-unix/X${display.slice(1)}`);
  const { width, height } = x11.root;
  const rows = Array.from({ length: ROWS }, (_, i) => Math.floor(((i + 1) * height) / (ROWS + 1)));
  return {
    readCover: async (colour) => {
      const parts = await Promise.all(rows.map((y) => readPixels(x11, { x: 0, y, width, height: 1 })));
      const shares = parts.map((pixels) => shareOf(pixels, colour));
      return shares.reduce((sum, share) => sum + share, 0) / ROWS;
    },
    close: () => x11.close(),
  };
}

/** What a picture's compression may change; X2Go sends photographs of what it shows again. */
const NEAR = 6;

/** Of 32-bit pixels, blue first. */
export function shareOf(pixels: Uint8Array, { red, green, blue }: Colour): number {
  let found = 0;
  for (let at = 0; at + 3 < pixels.length; at += 4)
    if (isNear(pixels[at], blue) && isNear(pixels[at + 1], green) && isNear(pixels[at + 2], red)) found++;
  return pixels.length === 0 ? 0 : found / Math.floor(pixels.length / 4);
}

function isNear(value: number | undefined, wanted: number): boolean {
  return value !== undefined && Math.abs(value - wanted) <= NEAR;
}
