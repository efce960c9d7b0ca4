/** A QR code as the path of an SVG, dark squares only, for pages that may not load pictures from elsewhere. */

import { encode } from "uqr";

export type QrDrawing = {
  /** Squares on a side, quiet zone included. */
  readonly size: number;
  /** The `d` of a path, a unit a square. */
  readonly path: string;
};

/** Readers need four light squares around it. */
const QUIET = 4;

export function drawQr(text: string): QrDrawing {
  const { data, size } = encode(text, { ecc: "M", border: QUIET });
  const runs = data.flatMap((row, y) =>
    darkRuns(row).map(({ x, width }) => `M${x} ${y}h${width}v1h-${width}z`),
  );
  return { size, path: runs.join("") };
}

/** Neighbouring squares as one: a third of the text, and no hairlines between them. */
function darkRuns(row: readonly boolean[]): readonly { readonly x: number; readonly width: number }[] {
  const runs: { x: number; width: number }[] = [];
  row.forEach((isDark, x) => {
    const last = runs.at(-1);
    if (!isDark) return;
    if (last !== undefined && last.x + last.width === x) last.width++;
    else runs.push({ x, width: 1 });
  });
  return runs;
}
