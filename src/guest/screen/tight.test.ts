import { expect, test } from "bun:test";
import { RfbPicture } from "../../../test/support/rfb-picture.ts";
import { ColourCounter } from "./colours.ts";
import { type Packed, TightPacker } from "./tight.ts";

const [WIDTH, HEIGHT] = [37, 19];

/** A picture of so many colours, not all of a byte's ends alike. */
function drawn(colours: number): Uint32Array {
  return Uint32Array.from(
    { length: WIDTH * HEIGHT },
    (_, at) => ((at * 7) % colours) * 0x010307 + 0xff000000,
  );
}

async function show(picture: RfbPicture, packed: Packed): Promise<void> {
  const update = Buffer.concat([Buffer.of(0, 0, 0, 1), await packed]);
  expect(await picture.apply(update)).toBe(update.length);
}

test.each([
  [1, "fill"],
  [2, "palette"],
  [3, "palette"],
  [256, "palette"],
  [257, "full"],
] as const)(
  "a picture of %p colours is packed as %p, and is the same once unpacked",
  async (colours, way) => {
    const packer = new TightPacker();
    const counter = new ColourCounter();
    const viewer = new RfbPicture(WIDTH + 2, HEIGHT + 3);
    const pixels = drawn(colours);
    // Twice, as the second is packed behind the first.
    for (const place of [
      { x: 2, y: 3, width: WIDTH, height: HEIGHT },
      { x: 0, y: 0, width: 3, height: 2 },
      { x: 1, y: 1, width: WIDTH, height: HEIGHT },
    ]) {
      const source = { pixels, start: 0, stride: WIDTH };
      await show(
        viewer,
        packer.pack(place, source, counter.count({ ...source, width: place.width, height: place.height })),
      );
      for (let y = 0; y < place.height; y++)
        for (let x = 0; x < place.width; x++)
          expect(viewer.pixels[(place.y + y) * viewer.width + place.x + x]).toBe(
            (pixels[y * WIDTH + x] ?? 0) & 0xffffff,
          );
    }
    expect(viewer.seen[way]).toBeGreaterThan(0);
    packer.close();
  },
);

test("colours are counted by what is seen of them, whatever the fourth byte holds", () => {
  const pixels = Uint32Array.from([0x00112233, 0xff112233, 0x7f112233, 0x00112233]);
  const counted = new ColourCounter().count({ pixels, start: 0, stride: 2, width: 2, height: 2 });
  expect(counted).toEqual({ kind: "one", colour: 0x112233 });
});
