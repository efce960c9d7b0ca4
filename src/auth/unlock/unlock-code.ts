/** Codes that unlock a screen, for those who have no password: eight letters, a user's own, good once for two minutes. */

import { createHash } from "node:crypto";

const LETTERS = "abcdefghjkmnpqrstvwxyz23456789".split("");

/** `randomByte` gives numbers from 0 to 255. */
export function makeUnlockCode(randomByte: () => number): string {
  let code = "";
  while (code.length < 8) {
    const byte = randomByte();
    if (byte < 240) code += LETTERS[byte % LETTERS.length] ?? "";
  }
  return code;
}

/** Undefined where it can't be one. */
export function hashUnlockCode(text: string): Uint8Array | undefined {
  const clean = text.toLowerCase().replace(/[\s-]/g, "");
  if (!/^[a-z2-9]{8}$/.test(clean)) return undefined;
  return createHash("sha256").update(`qvd unlock code ${clean}`).digest();
}
