import { sql } from "drizzle-orm";

/** How a password becomes what is stored; `src/auth/password.ts` has the real one. */
export type PasswordDeps = { readonly hashPassword: (password: string) => Promise<string> };

/** The columns of a credentials row that a new hash changes. */
export function newHash(passwordHash: string) {
  return { passwordHash, changedAt: sql`qvd_now()` };
}
