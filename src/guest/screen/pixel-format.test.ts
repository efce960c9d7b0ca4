import { expect, test } from "bun:test";
import { formatPixel, parsePixelFormat } from "./pixel-format.ts";
import { packRaw } from "./raw.ts";

/** bits, big-endian, most of each, shift of each. */
function formatOf(bits: number, isBig: number, mosts: readonly number[], shifts: readonly number[]): Buffer {
  const bytes = Buffer.of(bits, 24, isBig, 1, 0, 0, 0, 0, 0, 0, ...shifts, 0, 0, 0);
  for (const [at, most] of mosts.entries()) bytes.writeUInt16BE(most, 4 + 2 * at);
  return bytes;
}

test.each([
  ["ours", formatOf(32, 0, [255, 255, 255], [16, 8, 0]), [0x30, 0x20, 0x10, 0]],
  ["noVNC's", formatOf(32, 0, [255, 255, 255], [0, 8, 16]), [0x10, 0x20, 0x30, 0]],
  ["big-endian", formatOf(32, 1, [255, 255, 255], [16, 8, 0]), [0, 0x10, 0x20, 0x30]],
  ["of 16 bits", formatOf(16, 0, [31, 63, 31], [11, 5, 0]), [0x06, 0x11]],
  ["of 8 bits", formatOf(8, 0, [7, 7, 3], [0, 3, 6]), [0x48]],
])("a pixel becomes %s", (_whose, bytes, expected) => {
  const pixels = new Uint32Array([0, 0, 0xff102030]);
  const packed = packRaw(
    { x: 1, y: 2, width: 1, height: 1 },
    { pixels, start: 2, stride: 3 },
    parsePixelFormat(bytes),
  );
  expect([...packed.subarray(12)]).toEqual(expected);
});

test("the brightest is the brightest in any format", () => {
  const format = parsePixelFormat(formatOf(16, 0, [31, 63, 31], [11, 5, 0]));
  expect(formatPixel(0xffffff, format)).toBe(0xffff);
});

test("places in a table of colours are refused", () => {
  const bytes = formatOf(8, 0, [0, 0, 0], [0, 0, 0]);
  bytes.writeUInt8(0, 3);
  expect(() => parsePixelFormat(bytes)).toThrow("true colours");
});
