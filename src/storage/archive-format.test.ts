import { expect, test } from "bun:test";
import { detectFormat, MAGIC_BYTES } from "./archive-format.ts";

function bytesAt(at: number, bytes: readonly number[]): Uint8Array {
  const start = new Uint8Array(MAGIC_BYTES);
  start.set(bytes, at);
  return start;
}

test.each([
  ["tar.zst", bytesAt(0, [0x28, 0xb5, 0x2f, 0xfd])],
  ["tar.xz", bytesAt(0, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ["tar.gz", bytesAt(0, [0x1f, 0x8b, 0x08])],
  ["tar", bytesAt(257, [...new TextEncoder().encode("ustar")])],
] as const)("%s is told by its first bytes", (format, start) => {
  expect(detectFormat(start)).toBe(format);
});

test.each([
  ["nothing", new Uint8Array(0)],
  ["a cut magic", new Uint8Array([0x28, 0xb5])],
  ["zeros", new Uint8Array(MAGIC_BYTES)],
  ["a zip", bytesAt(0, [0x50, 0x4b, 3, 4])],
  ["a qcow2", bytesAt(0, [0x51, 0x46, 0x49, 0xfb])],
  ["bzip2", bytesAt(0, [0x42, 0x5a, 0x68])],
])("%s is none of ours", (_what, start) => {
  expect(detectFormat(start)).toBeUndefined();
});
