import { expect, test } from "bun:test";
import { brokenImage, faultOfTar, isFullDisk } from "./broken-image.ts";

test.each([
  ["tar: Unexpected EOF in archive\ntar: Error is not recoverable: exiting now", "it is truncated"],
  ["/*stdin*\\ : Read error (39) : premature end\ntar: Child returned status 1", "it is truncated"],
  ["gzip: stdin: unexpected end of file", "it is truncated"],
  ["xz: (stdin): Unexpected end of input", "it is truncated"],
  ["tar: This does not look like a tar archive", "it is not a tar archive"],
  [
    "xz: (stdin): Compressed data is corrupt\ntar: Child",
    "it is corrupt (xz: (stdin): Compressed data is corrupt)",
  ],
  [
    "/*stdin*\\ : Decoding error (36) : Data corruption detected \ntar: Unexpected EOF in archive",
    "it is corrupt (/*stdin*\\ : Decoding error (36) : Data corruption detected )",
  ],
  ["", "it is corrupt"],
])("tar's words %j mean: %s", (said, fault) => {
  expect(faultOfTar(said)).toBe(fault);
});

test("a full disk is told from other faults", () => {
  expect(isFullDisk("tar: ./usr/x: Wrote only 512 of 10240 bytes: No space left on device")).toBe(true);
  expect(isFullDisk("tar: ./usr/x: Cannot open: Permission denied")).toBe(false);
});

test("the error names the file (where it lies is nothing to those who uploaded it), the reason and the cure", () => {
  const error = brokenImage("/images/1-desk.tar", "it is truncated");
  expect(error.code).toBe("image-broken");
  expect(error.message).toMatch(/^The image 1-desk\.tar.*truncated.*enrol/);
});
