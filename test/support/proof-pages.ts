/** Reads what the pages of a second factor show, as somebody with a phone does. */

import { parseBase32 } from "../../src/auth/totp/base32.ts";
import { formatCode, stepAt } from "../../src/auth/totp/one-time-code.ts";

/** The value of a field of a page's form; empty where there is none. */
export function hiddenField(html: string, name: string): string {
  return new RegExp(`name="${name}" value="([^"]+)"`).exec(html)?.[1] ?? "";
}

/** The key that a page of the set-up shows to type. */
export function shownSecret(html: string): string {
  return /<code>([A-Z2-7 ]+)<\/code>/.exec(html)?.[1] ?? "";
}

/** What an authenticator app with that key shows now. */
export function codeNow(secret: string): string {
  return formatCode(parseBase32(secret) ?? new Uint8Array(), stepAt(Date.now()));
}
