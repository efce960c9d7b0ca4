import { sql } from "drizzle-orm";
import type { Db } from "./client.ts";
import { executePrepared, prepared } from "./prepared.ts";

/** The one channel of our notices. They only wake: whoever hears one reads what it needs. */
export const NOTICE_CHANNEL = "qvd";

const STATEMENT = prepared(["text"], sql`select pg_notify(${sql.raw(`'${NOTICE_CHANNEL}'`)}, $1)`);

/** Sends a notice of at most 8000 bytes to all boxes; in a transaction it goes out with the commit. */
export async function notify(db: Db, payload: string): Promise<void> {
  await executePrepared(db, STATEMENT, [payload]);
}
