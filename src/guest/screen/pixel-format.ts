/** How a viewer has its pixels, and how ours become such: only viewers that don't know Tight take them so. */

import { AppError } from "../../lib/errors.ts";

export type PixelFormat = {
  readonly bytesPerPixel: number;
  readonly isBigEndian: boolean;
  readonly red: Channel;
  readonly green: Channel;
  readonly blue: Channel;
};

type Channel = { readonly most: number; readonly shift: number };

/** The 16 bytes of it. Throws where pixels are no colours but places in a table. */
export function parsePixelFormat(bytes: Buffer): PixelFormat {
  const bits = bytes.readUInt8(0);
  if (bytes.readUInt8(3) === 0 || (bits !== 8 && bits !== 16 && bits !== 32))
    throw new AppError("protocol", "pixels that aren't true colours can't be shown");
  return {
    bytesPerPixel: bits / 8,
    isBigEndian: bytes.readUInt8(2) !== 0,
    red: { most: bytes.readUInt16BE(4), shift: bytes.readUInt8(10) },
    green: { most: bytes.readUInt16BE(6), shift: bytes.readUInt8(11) },
    blue: { most: bytes.readUInt16BE(8), shift: bytes.readUInt8(12) },
  };
}

/** Of a pixel of ours, blue lowest. */
export function formatPixel(pixel: number, { red, green, blue }: PixelFormat): number {
  const part = (level: number, { most, shift }: Channel) => Math.round((level * most) / 255) << shift;
  const [r, g, b] = [(pixel >> 16) & 0xff, (pixel >> 8) & 0xff, pixel & 0xff];
  return (part(r, red) | part(g, green) | part(b, blue)) >>> 0;
}
