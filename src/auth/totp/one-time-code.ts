/**
 * One-time codes as authenticator apps show them: RFC 6238 over RFC 4226 with the values that all of them share
 * (SHA-1, 30 s, six digits). Pure over a time that the caller has from the database's clock.
 */

import { createHmac, timingSafeEqual } from "node:crypto";

export const CODE_DIGITS = 6;
export const STEP_SECONDS = 30;
/** A code of the step before or after counts as well: clocks of phones are off, and people take a while. */
const WINDOW = 1;

export function stepAt(nowMs: number): number {
  return Math.floor(nowMs / 1000 / STEP_SECONDS);
}

/** The code of a step, with its leading zeros. RFC 4226 section 5.3. */
export function formatCode(secret: Uint8Array, step: number, digits: number = CODE_DIGITS): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac("sha1", secret).update(counter).digest();
  const offset = (digest.at(-1) ?? 0) & 0x0f;
  const number = digest.readUInt32BE(offset) & 0x7f_ff_ff_ff;
  return String(number % 10 ** digits).padStart(digits, "0");
}

/**
 * The step whose code this is, or undefined. Steps up to `lastStep` were accepted before and never are again,
 * so whoever looked over a shoulder comes too late.
 */
export function findStep(
  secret: Uint8Array,
  code: string,
  { nowMs, lastStep }: { readonly nowMs: number; readonly lastStep: number },
): number | undefined {
  if (!isCode(code)) return undefined;
  const now = stepAt(nowMs);
  const given = Buffer.from(code);
  let found: number | undefined;
  for (let step = now - WINDOW; step <= now + WINDOW; step++) {
    const isSame = timingSafeEqual(given, Buffer.from(formatCode(secret, step)));
    if (isSame && step > lastStep) found ??= step;
  }
  return found;
}

export function isCode(text: string): boolean {
  return /^[0-9]{6}$/.test(text);
}

/**
 * A password with the code behind it, as QVD clients send it, which have one field only; undefined where the
 * text can't be that.
 */
export function splitAppended(
  text: string,
): { readonly password: string; readonly code: string } | undefined {
  const code = text.slice(-CODE_DIGITS);
  const password = text.slice(0, -CODE_DIGITS);
  return isCode(code) && password !== "" ? { password, code } : undefined;
}
