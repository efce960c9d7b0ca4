/** Packs parts of a picture as they are, in the viewer's own kind of pixels: for viewers that don't know Tight. */

import { ENCODING } from "./encodings.ts";
import { formatPixel, type PixelFormat } from "./pixel-format.ts";
import type { Rectangle } from "./rectangle.ts";
import { headerOf, type Pixels } from "./tight.ts";

export function packRaw(place: Rectangle, { pixels, start, stride }: Pixels, format: PixelFormat): Buffer {
  const { width, height } = place;
  const { bytesPerPixel, isBigEndian } = format;
  const bytes = Buffer.alloc(width * height * bytesPerPixel);
  let [at, last, theirs] = [0, -1, 0];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++, at += bytesPerPixel) {
      const pixel = pixels[start + y * stride + x] ?? 0;
      if (pixel !== last) theirs = formatPixel(pixel, format);
      last = pixel;
      if (isBigEndian) bytes.writeUIntBE(theirs, at, bytesPerPixel);
      else bytes.writeUIntLE(theirs, at, bytesPerPixel);
    }
  return Buffer.concat([headerOf(place, ENCODING.raw), bytes]);
}
