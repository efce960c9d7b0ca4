import { expect, test } from "bun:test";
import { detectContent, MAGIC_BYTES } from "./archive-format.ts";

function bytesAt(at: number, hex: string): Uint8Array {
  const start = new Uint8Array(MAGIC_BYTES);
  start.set(Buffer.from(hex, "hex"), at);
  return start;
}
function whatElse(start: Uint8Array): string {
  const told = detectContent(start);
  return told.kind === "other" ? told.what : told.kind;
}
const text = (words: string) => Buffer.from(words).toString("hex");

test.each([
  ["tar.zst", bytesAt(0, "28b52ffd")],
  ["tar.xz", bytesAt(0, "fd377a585a00")],
  ["tar.gz", bytesAt(0, "1f8b08")],
  ["tar.bz2", bytesAt(0, text("BZh9"))],
  ["tar", bytesAt(257, text("ustar"))],
] as const)("the archive %s is told by its bytes", (format, start) => {
  expect(detectContent(start)).toEqual({ kind: "archive", format });
});

test("disks are told by their bytes", () => {
  expect(detectContent(bytesAt(0, "514649fb00000003"))).toEqual({ kind: "disk", format: "qcow2" });
  expect(detectContent(bytesAt(510, "55aa"))).toEqual({ kind: "disk", format: "raw" });
});

test.each([
  ["empty", new Uint8Array(0)],
  ["of no kind", new Uint8Array([0x28, 0xb5])],
  ["of no kind", new Uint8Array(MAGIC_BYTES)],
  ["of no kind", bytesAt(0, text("<html>404</html>"))],
  ["zip", bytesAt(0, "504b0304")],
  ["7z", bytesAt(0, "377abcaf271c")],
  ["ISO", bytesAt(0x8001, text("CD001"))],
  ["squashfs", bytesAt(0, text("hsqs"))],
  ["VMDK", bytesAt(0, text("KDMV"))],
  ["VMDK", bytesAt(0, text("# Disk DescriptorFile"))],
  ["VDI", bytesAt(0x40, "7f10dabe")],
  ["VHDX", bytesAt(0, text("vhdxfile"))],
  ["LUKS", bytesAt(0, "4c554b53babe")],
  ["ext file system", bytesAt(0x438, "53ef")],
  ["program", bytesAt(0, "7f454c46")],
  ["lz4", bytesAt(0, "04224d18")],
])("what is none of ours is named: %s", (what, start) => {
  expect(whatElse(start)).toContain(what);
});

test("a hybrid ISO is an ISO, not a disk", () => {
  const start = bytesAt(0x8001, text("CD001"));
  start.set([0x55, 0xaa], 510);
  expect(whatElse(start)).toContain("ISO");
});
