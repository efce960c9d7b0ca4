import { sql } from "drizzle-orm";
import type { Db } from "../db/client.ts";
import { sessions } from "../db/schema/index.ts";
import type { SessionTraffic } from "./store.ts";

/** Writes what open sittings carried so far: one statement, however many there are. */
export async function recordSessionTraffic(db: Db, traffic: readonly SessionTraffic[]): Promise<void> {
  if (traffic.length === 0) return;
  // As one JSON text, so that the statement is the same for any number of sittings.
  const rows = JSON.stringify(traffic);
  await db.execute(sql`
    update ${sessions} set bytes_to_client = carried."bytesToClient", bytes_from_client = carried."bytesFromClient"
    from json_to_recordset(${rows}::text::json)
      as carried("sessionId" bigint, "bytesToClient" bigint, "bytesFromClient" bigint)
    where ${sessions.id} = carried."sessionId" and ${sessions.endedAt} is null`);
}
