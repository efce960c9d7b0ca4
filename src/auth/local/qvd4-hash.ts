/**
 * Password hashes as QVD 4 kept them: base64 without padding of SHA-256 over one salt for all and the password. Good
 * once: at its owner's next sign-in it is replaced by a hash of today.
 */

import { createHash, timingSafeEqual } from "node:crypto";

export function isQvd4Hash(hash: string): boolean {
  return /^[A-Za-z0-9+/]{43}$/.test(hash);
}

export function verifyQvd4Password(password: string, hash: string, salt: string): boolean {
  const wanted = Buffer.from(hash, "base64");
  const given = createHash("sha256").update(salt).update(password).digest();
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}
