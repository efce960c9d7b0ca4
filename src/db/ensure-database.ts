import { openClient } from "./client.ts";
import { attemptDatabase } from "./errors.ts";
import type { DatabaseAddress } from "./url.ts";

/** Makes the embedded cluster's database when it isn't there; several may call at once. */
export async function ensureDatabase(owner: DatabaseAddress & { readonly kind: "socket" }): Promise<void> {
  const client = openClient({ ...owner, database: "postgres" }, { applicationName: "qvd migrate" });
  try {
    await attemptDatabase(`create the database ${owner.database}`, async () => {
      const found = await client`select 1 from pg_database where datname = ${owner.database}`;
      if (found.length > 0) return;
      await client
        .unsafe(
          `create database "${owner.database.replaceAll('"', '""')}" encoding 'UTF8' template template0`,
        )
        .catch(ignoreExisting);
    });
  } finally {
    await client.end({ timeout: 5 });
  }
}

/** Somebody else was quicker (the unique key of pg_database is how a lost race shows). */
function ignoreExisting(error: unknown): void {
  const code = error instanceof Error ? Reflect.get(error, "code") : undefined;
  if (code !== "42P04" && code !== "23505") throw error;
}
