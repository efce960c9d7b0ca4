/**
 * Password hashes: argon2id at the first of the costs that OWASP lists as equal (46 MiB, 1 pass). Each costs its
 * memory while it runs, so callers bound how many run at a time.
 */

import { AppError } from "../lib/errors.ts";

export const PASSWORD_LIMITS = { leastCharacters: 8, mostBytes: 1024 } as const;

const COST = { algorithm: "argon2id", memoryCost: 47_104, timeCost: 1 } as const;

/** Throws `bad-input` for a password that is too short or too long. */
export async function hashPassword(password: string): Promise<string> {
  if ([...password].length < PASSWORD_LIMITS.leastCharacters)
    throw new AppError(
      "bad-input",
      `The password needs at least ${PASSWORD_LIMITS.leastCharacters} characters.`,
      { field: "password" },
    );
  if (Buffer.byteLength(password) > PASSWORD_LIMITS.mostBytes)
    throw new AppError("bad-input", `The password is over ${PASSWORD_LIMITS.mostBytes} bytes.`, {
      field: "password",
    });
  return Bun.password.hash(password, COST);
}

/** For a password that has just proved its owner, whatever the rules for new ones are. */
export function rehashPassword(password: string): Promise<string> {
  return Bun.password.hash(password, COST);
}

/** An empty or oversized password never matches; a hash that can't be read counts as no match. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  if (password === "" || Buffer.byteLength(password) > PASSWORD_LIMITS.mostBytes) return false;
  try {
    return await Bun.password.verify(password, hash);
  } catch {
    // Not a hash of a kind we know: nobody can prove anything by it.
    return false;
  }
}
