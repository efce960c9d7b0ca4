import { expect, test } from "bun:test";
import { coverOf, parseColour } from "./screen.ts";

/** A dump of two pixels a line, with one colour-map entry to be stepped over. */
function dump(lines: readonly (readonly number[])[], isLittle: boolean): Uint8Array {
  const header = 100;
  const bytes = new Uint8Array(header + 12 + lines.length * 8);
  const view = new DataView(bytes.buffer);
  const fields: Record<number, number> = {
    0: header,
    4: 2,
    5: lines.length,
    7: isLittle ? 0 : 1,
    11: 32,
    12: 8,
    19: 1,
  };
  for (const [index, value] of Object.entries(fields)) view.setUint32(Number(index) * 4, value);
  lines.flat().forEach((pixel, i) => void view.setUint32(header + 12 + i * 4, pixel, isLittle));
  return bytes;
}

test.each([true, false])("counts the pixels of exactly one colour, little-endian %p", (isLittle) => {
  const blue = parseColour("#204080");
  expect(
    coverOf(
      dump(
        [
          [0x204080, 0x204081],
          [0xff204080, 0],
        ],
        isLittle,
      ),
      blue,
    ),
  ).toBe(0.5);
});

test("refuses what isn't a colour", () => {
  expect(() => parseColour("blue")).toThrow("#204080");
});
