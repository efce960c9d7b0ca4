import { describe, expect, test } from "bun:test";
import { parseQcow2Header, QCOW2_HEADER_BYTES } from "./qcow2-header.ts";

type Write = (header: Buffer) => void;

/** A version 3 header as `qemu-img create` writes it, changed by `write`. */
function header(write: Write = () => {}): Buffer {
  const bytes = Buffer.alloc(QCOW2_HEADER_BYTES);
  bytes.write("QFI\u00fb", "latin1");
  bytes.writeUInt32BE(3, 4);
  bytes.writeUInt32BE(16, 20);
  bytes.writeBigUInt64BE(8n * 2n ** 30n, 24);
  bytes.writeUInt32BE(16, 36);
  bytes.writeBigUInt64BE(196_608n, 40);
  bytes.writeUInt32BE(104, 100);
  write(bytes);
  return bytes;
}
const judge = (bytes: Buffer, fileBytes = 400_000) => parseQcow2Header(bytes, fileBytes);

describe("a qcow2 header", () => {
  test("that is whole in itself is good, with its virtual size", () => {
    expect(judge(header())).toEqual({ virtualBytes: 8 * 2 ** 30, fault: undefined });
  });

  test("of version 2 is good", () => {
    expect(judge(header((bytes) => bytes.writeUInt32BE(2, 4))).fault).toBeUndefined();
  });

  const bad: readonly (readonly [string, Write, RegExp])[] = [
    ["a backing file", (bytes) => bytes.writeBigUInt64BE(512n, 8), /backing file/],
    ["a backing file's name without a place", (bytes) => bytes.writeUInt32BE(11, 16), /backing file/],
    ["a backing format", (bytes) => bytes.writeUInt32BE(0xe2792aca, 104), /backing file/],
    ["an external data file", (bytes) => bytes.writeBigUInt64BE(4n, 72), /another file/],
    ["the name of a data file", (bytes) => bytes.writeUInt32BE(0x44415441, 104), /another file/],
    ["AES", (bytes) => bytes.writeUInt32BE(1, 32), /encrypted/],
    ["LUKS", (bytes) => bytes.writeUInt32BE(2, 32), /encrypted/],
    ["a LUKS header", (bytes) => bytes.writeUInt32BE(0x0537be77, 104), /encrypted/],
    ["damage", (bytes) => bytes.writeBigUInt64BE(2n, 72), /corrupt/],
    ["a feature of tomorrow", (bytes) => bytes.writeBigUInt64BE(1n << 40n, 72), /features/],
    ["version 9", (bytes) => bytes.writeUInt32BE(9, 4), /version 9/],
    ["giant clusters", (bytes) => bytes.writeUInt32BE(40, 20), /clusters/],
    ["no size", (bytes) => bytes.writeBigUInt64BE(0n, 24), /no size/],
    ["an absurd size", (bytes) => bytes.writeBigUInt64BE(2n ** 62n, 24), /16 TiB/],
    ["snapshots", (bytes) => bytes.writeUInt32BE(1, 60), /snapshots/],
    ["its table beyond the end", (bytes) => bytes.writeBigUInt64BE(10_000_000n, 40), /truncated/],
    ["a header that never ends", (bytes) => bytes.fill(1, 104), /without an end/],
  ];
  test.each(bad)("with %s is refused", (_what, write, fault) => {
    expect(judge(header(write)).fault).toMatch(fault);
  });

  test("that is cut is refused, wherever it was", () => {
    for (const length of [0, 4, 71, 80, 103]) expect(judge(header().subarray(0, length)).fault).toBeDefined();
  });

  test("of random bytes never throws and is never good", () => {
    for (let seed = 1; seed <= 300; seed++) {
      let state = seed;
      const bytes = header().map(() => {
        state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
        return state & 0xff;
      });
      expect(judge(Buffer.from(bytes)).fault).toBeDefined();
    }
  });
});
