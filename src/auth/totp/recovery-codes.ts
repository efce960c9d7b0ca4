/**
 * Recovery codes: what lets somebody in whose phone is lost, ten of them, each good once. Of 50 random bits each,
 * so a plain hash keeps them; they are shown at their making and never again.
 */

import { createHash } from "node:crypto";

export const RECOVERY_CODES = 10;
const LENGTH = 10;
/** Without 0, 1, i, l, o and u, which are misread or spell words. */
const LETTERS = "abcdefghjkmnpqrstvwxyz23456789".split("");

/** `abcde-fghjk`. `randomByte` gives numbers from 0 to 255. */
export function makeRecoveryCode(randomByte: () => number): string {
  let code = "";
  while (code.length < LENGTH) {
    const byte = randomByte();
    // Only as many values as divide evenly, so that every letter is as likely.
    if (byte < 240) code += LETTERS[byte % LETTERS.length] ?? "";
  }
  return `${code.slice(0, 5)}-${code.slice(5)}`;
}

/**
 * A password with a recovery code behind it, from a client that has one field; undefined where there is none. The hyphen is
 * needed: without it nothing says where the password ends.
 */
export function splitRecoveryCode(
  text: string,
): { readonly password: string; readonly code: string } | undefined {
  const code = text.slice(-LENGTH - 1);
  const password = text.slice(0, -LENGTH - 1);
  return /^[a-z2-9]{5}-[a-z2-9]{5}$/i.test(code) && password !== "" ? { password, code } : undefined;
}

/** Undefined where it can't be one. People leave out the hyphen and write capitals. */
export function hashRecoveryCode(text: string): Uint8Array | undefined {
  const clean = text.toLowerCase().replace(/[\s-]/g, "");
  if (!/^[a-z2-9]{10}$/.test(clean)) return undefined;
  return createHash("sha256").update(`qvd recovery code ${clean}`).digest();
}
