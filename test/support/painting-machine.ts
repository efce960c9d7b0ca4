/**
 * A machine whose whole system is one boot sector: it paints its screen green, and after each key in the colour of the
 * palette that the key's letter names (`a` is 1, blue; `d` is 4, red). Boots within a second, also emulated.
 */

import { writeFileSync } from "node:fs";

const CODE = [
  ...[0xfc, 0xb8, 0x13, 0x00, 0xcd, 0x10], // cld; 320×200 in 256 colours
  ...[0xb0, 0x02], // green
  ...[0x68, 0x00, 0xa0, 0x07, 0x31, 0xff, 0xb9, 0x00, 0xfa, 0xf3, 0xaa], // fill the screen
  ...[0x30, 0xe4, 0xcd, 0x16, 0x24, 0x0f], // wait for a key; the low half of its letter
  ...[0xeb, 0xed], // and again
];

export const PAINTED = { green: [0, 170, 0], blue: [0, 0, 170], red: [170, 0, 0] } as const;

export function writePaintingDisk(path: string): void {
  const disk = Buffer.alloc(1024 * 1024);
  disk.set(CODE);
  disk.set([0x55, 0xaa], 510);
  writeFileSync(path, disk);
}
