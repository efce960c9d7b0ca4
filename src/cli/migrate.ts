import { ensureDatabase } from "../db/ensure-database.ts";
import { migrate } from "../db/migrate.ts";
import { ensureRolePasswords } from "../db/role-passwords.ts";
import { readAccount } from "./accounts.ts";
import type { Command } from "./command.ts";
import { type Mode, openMode, requireRoot } from "./mode.ts";

export const migrateCommand: Command = {
  name: "migrate",
  summary: "Bring the database to the schema of this executable.",
  details:
    "Safe to run at any time, also by several at once. `qvd box run` does it at each start. In a database of your own (QVD_DATABASE_URL) it also gives each process its role and a random password.",
  examples: ["qvd migrate"],
  async run(io) {
    requireRoot("qvd migrate");
    const { from, to } = await migrateDatabase(openMode(io));
    io.err(
      from === to
        ? `the database is at version ${to}\n`
        : `the database went from version ${from} to ${to}\n`,
    );
    return 0;
  },
};

/** Makes the embedded database when it isn't there; the cluster must be up. */
export async function migrateDatabase(mode: Mode): Promise<{ readonly from: number; readonly to: number }> {
  const owner = await mode.database("qvd_owner");
  if (owner.kind === "socket") {
    await ensureDatabase(owner);
    return await migrate(owner);
  }
  const passwords = await ensureRolePasswords(mode.layout.secretsFolder, {
    qvd_auth: readAccount("qvd-auth"),
    qvd_broker: readAccount("qvd-broker"),
    qvd_admin: readAccount("qvd-admin"),
  });
  return await migrate(owner, { passwords });
}
