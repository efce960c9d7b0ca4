import { readdir } from "node:fs/promises";
import { AppError } from "../../lib/errors.ts";

/**
 * A server that keeps no replication slots (decision 0161) ends at once where the cluster has one, and is started again for ever:
 * this says so before, with what to do. `cluster` may not exist yet.
 */
export async function refuseSlots(cluster: string): Promise<void> {
  const names = await readdir(`${cluster}/pg_replslot`).catch((): string[] => []);
  const [first] = names;
  if (first === undefined) return;
  throw new AppError(
    "conflict",
    `starting the embedded database: it has ${names.length === 1 ? "a replication slot" : "replication slots"} (${names.join(", ")}), and keeps none any more, so that a full disk can't end it. ` +
      `Start the version of QVD before and run \`select pg_drop_replication_slot('${first}')\` in it; what followed the slot should copy with \`pg_basebackup --no-slot\`, or the site use a PostgreSQL of its own (QVD_DATABASE_URL)`,
  );
}
