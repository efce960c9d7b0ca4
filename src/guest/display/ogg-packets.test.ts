import { describe, expect, test } from "bun:test";
import { OggPackets } from "./ogg-packets.ts";

function page(segments: readonly number[], fill: number): Uint8Array {
  const head = new Uint8Array(27);
  head.set(Buffer.from("OggS"));
  head[26] = segments.length;
  const body = new Uint8Array(segments.reduce((sum, one) => sum + one, 0)).fill(fill);
  return Buffer.concat([head, Uint8Array.from(segments), body]);
}

describe("packets of an Ogg stream", () => {
  // The third goes over the end of a page.
  const stream = Buffer.concat([page([19], 1), page([0, 255, 3, 255], 2), page([255, 0, 7], 3)]);

  test("come out whole, however the stream is cut", () => {
    for (const size of [1, 5, 26, 28, 300, stream.length]) {
      const packets = new OggPackets();
      const found: Uint8Array[] = [];
      for (let at = 0; at < stream.length; at += size)
        found.push(...packets.push(stream.subarray(at, at + size)));
      expect(found.map(({ length }) => length)).toEqual([19, 0, 258, 510, 7]);
      expect([...(found[3] ?? [])].filter((byte) => byte === 2)).toHaveLength(255);
    }
  });

  test("are none where no page begins", () => {
    expect(() => new OggPackets().push(new Uint8Array(40))).toThrow("no page");
  });
});
