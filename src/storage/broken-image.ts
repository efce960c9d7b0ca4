/** The errors that say what is wrong with an image file, in one voice. */

import { basename } from "node:path";
import { AppError } from "../lib/errors.ts";

const CURE = "Build or fetch the image again and enrol the new file.";

export function brokenImage(archivePath: string, why: string, cause?: unknown): AppError {
  return new AppError("image-broken", `The image ${basename(archivePath)} can't be used: ${why}. ${CURE}`, {
    cause,
  });
}

/** What tar's and the decompressors' words mean for the file. */
export function faultOfTar(said: string): string {
  const corrupt = said.split("\n").find((line) => /corrupt|decoding error|crc error/i.test(line));
  // Said first, since a decompressor that stops in the middle makes tar complain of an early end.
  if (corrupt !== undefined) return `it is corrupt (${corrupt.slice(0, 200)})`;
  if (/unexpected eof|unexpected end|premature end|truncated|unfinished|Read error \(39\)/i.test(said))
    return "it is truncated";
  if (/does not look like a tar archive/i.test(said)) return "it is not a tar archive";
  if (/memory exhausted|cannot allocate memory|not enough memory/i.test(said))
    return "reading it takes more memory than an image may have";
  const last = said.trim().split("\n").at(0) ?? "";
  return `it is corrupt${last === "" ? "" : ` (${last.slice(0, 200)})`}`;
}

export function isFullDisk(text: string): boolean {
  return /No space left on device|Disk quota exceeded|ENOSPC|EDQUOT/.test(text);
}
