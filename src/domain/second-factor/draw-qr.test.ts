import { expect, test } from "bun:test";
import { encode } from "uqr";
import { drawQr } from "./draw-qr.ts";

const TEXT = "otpauth://totp/QVD:alice?secret=JBSWY3DPEHPK3PXP&issuer=QVD";

/** The squares that the path's runs cover. */
function paint({ path, size }: { path: string; size: number }): boolean[][] {
  const rows = Array.from({ length: size }, () => Array.from({ length: size }, () => false));
  for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g))
    for (let at = Number(x); at < Number(x) + Number(width); at++) {
      const row = rows[Number(y)];
      if (row !== undefined) row[at] = true;
    }
  return rows;
}

test("draws the dark squares, all of them and no others", () => {
  const drawing = drawQr(TEXT);
  const { data, size } = encode(TEXT, { ecc: "M", border: 4 });
  expect(drawing.size).toBe(size);
  expect(paint(drawing)).toEqual(data);
});

test("leaves the margin that readers need", () => {
  const rows = paint(drawQr(TEXT));
  const edges = [...rows.slice(0, 4), ...rows.slice(-4)].flat();
  expect(edges).not.toContain(true);
  expect(rows.some((row) => row[4])).toBe(true);
});

test("has nothing in it that would end an attribute, whatever it encodes", () => {
  expect(drawQr('"><script>').path).toMatch(/^[Mhvz0-9 -]+$/);
});
