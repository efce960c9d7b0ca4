import { describe, expect, test } from "bun:test";
import { DISK_HEADER_BYTES, parseDiskHeader } from "./disk-header.ts";

function qcow2(change: (view: DataView) => void = () => {}): Uint8Array {
  const head = new Uint8Array(DISK_HEADER_BYTES);
  const view = new DataView(head.buffer);
  view.setUint32(0, 0x514649fb);
  view.setUint32(4, 3);
  view.setBigUint64(24, 6n * 2n ** 30n);
  change(view);
  return head;
}

function withText(text: string): Uint8Array {
  const head = new Uint8Array(DISK_HEADER_BYTES);
  head.set(Buffer.from(text, "latin1"));
  return head;
}

describe("a disk is taken", () => {
  test("as qcow2 by its header, with its size", () =>
    expect(parseDiskHeader(qcow2())).toEqual({ isGood: true, format: "qcow2", virtualBytes: 6 * 2 ** 30 }));
  test("as qcow2 of the older version, which has no feature bits", () => {
    const old = qcow2((view) => {
      view.setUint32(4, 2);
      view.setBigUint64(72, 0xffffn);
    });
    expect(parseDiskHeader(old).isGood).toBe(true);
  });
  test("as raw by its boot sector", () => {
    const head = new Uint8Array(DISK_HEADER_BYTES);
    head.set([0x55, 0xaa], 510);
    expect(parseDiskHeader(head)).toEqual({ isGood: true, format: "raw", virtualBytes: undefined });
  });
});

describe("a disk is refused", () => {
  const cases: readonly [rule: string, head: Uint8Array, reason: RegExp][] = [
    ["that has a backing file", qcow2((view) => view.setBigUint64(8, 104n)), /backing file/],
    ["that names a backing file without a place", qcow2((view) => view.setUint32(16, 9)), /backing file/],
    ["with its data elsewhere", qcow2((view) => view.setBigUint64(72, 4n)), /another file/],
    ["with features of tomorrow", qcow2((view) => view.setBigUint64(72, 1n << 40n)), /unknown here/],
    ["that is encrypted", qcow2((view) => view.setUint32(32, 2)), /encrypted/],
    ["of an unknown version", qcow2((view) => view.setUint32(4, 4)), /version 4/],
    ["without a size", qcow2((view) => view.setBigUint64(24, 0n)), /size/],
    ["that is of another kind", withText("KDMV"), /qemu-img convert/],
    ["that is an archive", withText("\u001f\u008b"), /no qcow2 file, and no raw disk/],
    ["that is empty", new Uint8Array(), /too short/],
  ];
  for (const [rule, head, reason] of cases)
    test(rule, () => {
      const parsed = parseDiskHeader(head);
      expect(parsed).toMatchObject({ isGood: false, reason: expect.stringMatching(reason) });
    });
});
