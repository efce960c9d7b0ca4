import { describe, expect, test } from "bun:test";
import { DISK_HEADER_BYTES, parseDiskHeader } from "./disk-header.ts";

const FILE_BYTES = 400_000;

/** As `qemu-img create` writes it, changed by `change`. */
function qcow2(change: (view: DataView) => void = () => {}): Uint8Array {
  const head = new Uint8Array(DISK_HEADER_BYTES);
  const view = new DataView(head.buffer);
  view.setUint32(0, 0x514649fb);
  view.setUint32(4, 3);
  view.setUint32(20, 16);
  view.setBigUint64(24, 6n * 2n ** 30n);
  view.setUint32(36, 12);
  view.setBigUint64(40, 196_608n);
  view.setUint32(100, 104);
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
    expect(parseDiskHeader(qcow2(), FILE_BYTES)).toEqual({
      isGood: true,
      format: "qcow2",
      virtualBytes: 6 * 2 ** 30,
    }));
  test("as raw by its boot sector", () => {
    const head = new Uint8Array(DISK_HEADER_BYTES);
    head.set([0x55, 0xaa], 510);
    expect(parseDiskHeader(head, FILE_BYTES)).toEqual({
      isGood: true,
      format: "raw",
      virtualBytes: undefined,
    });
  });
});

describe("a disk is refused", () => {
  const cases: readonly [rule: string, head: Uint8Array, reason: RegExp][] = [
    ["that has a backing file", qcow2((view) => view.setBigUint64(8, 104n)), /^it stands on a backing file/],
    [
      "that names a data file in an extension alone",
      qcow2((view) => view.setUint32(104, 0x44415441)),
      /another file/,
    ],
    ["whose table lies beyond its end", qcow2((view) => view.setBigUint64(40, 9_999_999n)), /truncated/],
    ["that is of another kind", withText("KDMV"), /qemu-img convert/],
    ["that is an archive", withText("\u001f\u008b"), /no qcow2 file, and no raw disk/],
    ["that is empty", new Uint8Array(), /too short/],
  ];
  for (const [rule, head, reason] of cases)
    test(rule, () => {
      const parsed = parseDiskHeader(head, FILE_BYTES);
      expect(parsed).toMatchObject({ isGood: false, reason: expect.stringMatching(reason) });
    });
});
