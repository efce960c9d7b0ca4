/** What every mode needs before it can start: settings, places and a log. Wired here, handed on as values. */

import { type Config, loadConfig } from "../config/load-config.ts";
import { type DatabaseAddress, type DatabaseRole, roleDatabase } from "../db/url.ts";
import { type Layout, layoutOf, withSharedBases } from "../domain/node/layout.ts";
import { AppError } from "../lib/errors.ts";
import { createLog, type Log, type LogLevel } from "../lib/log.ts";
import type { CommandIo } from "./command.ts";

export type Mode = {
  readonly config: Config;
  readonly layout: Layout;
  readonly log: Log;
  /** How to reach the database as `role`. */
  database(role: DatabaseRole): Promise<DatabaseAddress>;
};

export function openMode(io: CommandIo): Mode {
  const { config } = loadConfig({ env: io.env });
  const own = layoutOf(config.stateFolder, config.runFolder, config.sharedFolder);
  const layout = config.bases === "shared" ? withSharedBases(own) : own;
  return {
    config,
    layout,
    log: createLog({ level: parseLevel(config.logLevel), write: io.err, now: () => new Date() }),
    database: (role) =>
      roleDatabase(
        {
          databaseUrl: config.databaseUrl,
          socketFolder: layout.databaseSocketFolder,
          secretsFolder: layout.secretsFolder,
        },
        role,
      ),
  };
}

/** For commands that act on the machine: `doing` completes "… needs root". */
export function requireRoot(doing: string): void {
  if (process.getuid?.() !== 0) throw new AppError("forbidden", `${doing} needs root`);
}

/** The settings table's choices are the levels; anything else never passes it. */
function parseLevel(text: string): LogLevel {
  switch (text) {
    case "debug":
    case "warn":
    case "error":
      return text;
    default:
      return "info";
  }
}
