import { sql } from "drizzle-orm";
import type { Db } from "./client.ts";

/** The one channel of our notices. They only wake: whoever hears one reads what it needs. */
export const NOTICE_CHANNEL = "qvd";

/** Sends a notice of at most 8000 bytes to all boxes; in a transaction it goes out with the commit. */
export async function notify(db: Db, payload: string): Promise<void> {
  await db.execute(sql`select pg_notify(${NOTICE_CHANNEL}, ${payload})`);
}
