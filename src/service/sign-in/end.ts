import { eq } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { attemptDatabase } from "../../db/errors.ts";
import { administratorSessions } from "../../db/schema/index.ts";
import { tokenHash } from "./token.ts";

/** Whoever holds the token may end it; may be called twice. */
export async function endSignIn(db: Db, token: string): Promise<void> {
  await attemptDatabase("sign out", () =>
    db.delete(administratorSessions).where(eq(administratorSessions.tokenHash, tokenHash(token))),
  );
}
