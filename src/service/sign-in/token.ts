import { createHash } from "node:crypto";

/** What the database keeps of a token: enough to know it again, nothing to sign in with. */
export function tokenHash(token: string): Uint8Array {
  return createHash("sha256").update(token, "utf8").digest();
}
