/**
 * For commands that root of a box may do without an administrator to sign in as: the first ones of a new site,
 * and those of a site that locked itself out. They use the verbs of everybody else, with the rights of the
 * admin process.
 */

import { type Database, openDatabase } from "../db/client.ts";
import { requireSchema } from "../db/migrate.ts";
import type { Context } from "../service/context.ts";
import type { CommandIo } from "./command.ts";
import { openMode, requireRoot } from "./mode.ts";

export async function asRescue<T>(
  io: CommandIo,
  doing: string,
  work: (context: Context, database: Database) => Promise<T>,
): Promise<T> {
  requireRoot(doing);
  const mode = openMode(io);
  const database = openDatabase(await mode.database("qvd_admin"), { max: 1, applicationName: "qvd rescue" });
  try {
    await requireSchema(database.sql);
    return await work({ db: database.orm, actor: { kind: "system", what: "rescue" } }, database);
  } finally {
    await database.close();
  }
}
