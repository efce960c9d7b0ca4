import { eq } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { attemptDatabase } from "../../db/errors.ts";
import { userWebSessions } from "../../db/schema/index.ts";
import { tokenHash } from "../sign-in/token.ts";

/** Whoever holds the token may end it; may be called twice. */
export async function endWebSession(db: Db, token: string): Promise<void> {
  await attemptDatabase("sign out", () =>
    db.delete(userWebSessions).where(eq(userWebSessions.tokenHash, tokenHash(token))),
  );
}
