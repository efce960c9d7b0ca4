import { ensureDatabase } from "../db/ensure-database.ts";
import { migrate } from "../db/migrate.ts";
import { ensureRolePasswords } from "../db/role-passwords.ts";
import { AppError, isAppError } from "../lib/errors.ts";
import { sleep } from "../lib/wait.ts";
import { readAccount } from "./accounts.ts";
import { textOption } from "./admin/arguments.ts";
import type { Command } from "./command.ts";
import { type Mode, openMode, requireRoot } from "./mode.ts";

const TRY_AGAIN_MS = 250;

export const migrateCommand: Command = {
  name: "migrate",
  summary: "Bring the database to the schema of this executable.",
  details:
    "Safe to run at any time, also by several at once. `qvd box run` does it at each start. In a database of your own (QVD_DATABASE_URL) it also gives each process its role and a random password.",
  options: {
    wait: {
      type: "text",
      value: "SECONDS",
      doc: "Wait so long for the database to answer; default: not at all.",
    },
  },
  examples: ["qvd migrate", "qvd migrate --wait 60"],
  async run(io, args) {
    requireRoot("qvd migrate");
    const { from, to } = await migrateWithin(openMode(io), parseSeconds(textOption(args, "wait")), io.signal);
    io.err(
      from === to
        ? `the database is at version ${to}\n`
        : `the database went from version ${from} to ${to}\n`,
    );
    return 0;
  },
};

function parseSeconds(text = "0"): number {
  if (!/^\d{1,4}$/.test(text))
    throw new AppError("bad-input", `--wait takes a number of seconds, not ${text}`);
  return Number(text);
}

/** Again while the database is away; every other fault, and the last one of that kind, is the caller's. */
async function migrateWithin(mode: Mode, seconds: number, signal: AbortSignal) {
  const endMs = performance.now() + seconds * 1000;
  for (;;) {
    try {
      return await migrateDatabase(mode);
    } catch (cause) {
      const isAway = isAppError(cause) && cause.code === "database-away";
      if (!isAway || performance.now() >= endMs || signal.aborted) throw cause;
      await sleep(TRY_AGAIN_MS, signal);
    }
  }
}

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
