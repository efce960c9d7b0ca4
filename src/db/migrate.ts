/**
 * Brings the database to the schema that this executable knows. All of it happens in one transaction under one
 * advisory lock, so several may start at once and a failure leaves everything as it was. A database of a
 * newer executable is refused: this one would misread it.
 */

import type postgres from "postgres";
import { MIGRATIONS, type Migration } from "../../migrations/index.ts";
import { AppError } from "../lib/errors.ts";
import { openClient } from "./client.ts";
import { attemptDatabase } from "./errors.ts";
import { type DatabaseAddress, PROCESS_ROLES, type ProcessRole } from "./url.ts";

export type MigrateOptions = {
  /** Other than the embedded ones in tests only. */
  readonly migrations?: readonly Migration[];
  /** Given to the roles that are named; an embedded database has none (see url.ts). */
  readonly passwords?: Partial<Readonly<Record<ProcessRole, string>>>;
  readonly onApplied?: (migration: Migration) => void;
};

export type MigrateResult = { readonly from: number; readonly to: number };

/** As owner of the schema. The database must exist (`ensureDatabase`). May be called at each start. */
export async function migrate(owner: DatabaseAddress, options: MigrateOptions = {}): Promise<MigrateResult> {
  const migrations = options.migrations ?? MIGRATIONS;
  const client = openClient(owner, { max: 1, applicationName: "qvd migrate" });
  try {
    const result = await attemptDatabase(
      "migrate the database",
      () => client.begin((tx) => migrateInside(tx, migrations, options.passwords ?? {})),
      MIGRATE_TIMEOUT_MS,
    );
    for (const migration of result.applied) options.onApplied?.(migration);
    return { from: result.from, to: result.to };
  } finally {
    await client.end({ timeout: 5 });
  }
}

/** The number of the newest migration that the database has; 0 before the first. */
export async function readSchemaVersion(sql: postgres.Sql | postgres.TransactionSql): Promise<number> {
  const [found] = await sql<{ known: string | null }[]>`select to_regclass('public.schema_migrations') known`;
  if (!found?.known) return 0;
  const [row] = await sql<{ newest: number | null }[]>`select max(number) newest from schema_migrations`;
  return row?.newest ?? 0;
}

/** Throws with advice unless the database has exactly the schema that this executable knows. */
export async function requireSchema(sql: postgres.Sql): Promise<void> {
  const found = await attemptDatabase("look at the database", () => readSchemaVersion(sql));
  const known = newestOf(MIGRATIONS);
  if (found > known) throw newerDatabase(found, known);
  if (found < known) {
    throw new AppError(
      "conflict",
      `the database is at version ${found} and this qvd needs ${known}: run \`qvd migrate\``,
    );
  }
}

/** Any number: it only has to differ from our other advisory locks. */
const MIGRATE_LOCK = 5_100;

const MIGRATE_TIMEOUT_MS = 900_000;

type Applied = MigrateResult & { readonly applied: readonly Migration[] };

async function migrateInside(
  tx: postgres.TransactionSql,
  migrations: readonly Migration[],
  passwords: MigrateOptions["passwords"],
): Promise<Applied> {
  // The winner may have much to do; the others wait for it, and not for ever.
  await tx`set local lock_timeout = '120s'`;
  await tx`set local statement_timeout = '600s'`;
  await tx`select pg_advisory_xact_lock(${MIGRATE_LOCK})`;
  const from = await readSchemaVersion(tx);
  const to = newestOf(migrations);
  if (from > to) throw newerDatabase(from, to);
  if (from === 0) await createList(tx);
  const applied = migrations.filter((migration) => migration.number > from);
  for (const migration of applied) await apply(tx, migration);
  await requireRoles(tx);
  await tx.unsafe(`grant select on schema_migrations to ${PROCESS_ROLES.join(", ")}`);
  for (const [role, password] of Object.entries(passwords ?? {})) await setPassword(tx, role, password);
  return { from, to, applied };
}

/** Roles are the server's and not in a dump of the database: it may have been restored where they never were. */
async function requireRoles(tx: postgres.TransactionSql): Promise<void> {
  const rows = await tx<{ name: string }[]>`select rolname as name from pg_roles`;
  const missing = PROCESS_ROLES.filter((role) => !rows.some(({ name }) => name === role));
  if (missing.length === 0) return;
  throw new AppError(
    "conflict",
    `this server lacks the role ${missing.join(", ")}, which came with no dump: run \`qvd migrate\` on an empty database, then restore the dump over it (docs/operations/state-folder.md)`,
  );
}

async function createList(tx: postgres.TransactionSql): Promise<void> {
  await tx.unsafe(`create table if not exists schema_migrations (
    number int primary key, name text not null, applied_at timestamptz not null default clock_timestamp())`);
}

async function apply(tx: postgres.TransactionSql, migration: Migration): Promise<void> {
  try {
    await tx.unsafe(migration.text);
  } catch (cause) {
    throw new Error(`migration ${migration.number} (${migration.name}) failed; nothing was changed`, {
      cause,
    });
  }
  await tx`insert into schema_migrations (number, name) values (${migration.number}, ${migration.name})`;
}

/** `alter role` takes no parameters, so what goes into its text is checked first. */
async function setPassword(tx: postgres.TransactionSql, role: string, password: string): Promise<void> {
  const isSafe = /^[A-Za-z0-9_-]{16,128}$/.test(password) && /^[a-z_]+$/.test(role);
  if (!isSafe) throw new Error(`the password for ${role} has characters that a password of ours never has`);
  await tx.unsafe(`alter role ${role} login password '${password}'`);
}

function newestOf(migrations: readonly Migration[]): number {
  return migrations.at(-1)?.number ?? 0;
}

function newerDatabase(found: number, known: number): AppError {
  return new AppError(
    "conflict",
    `the database is at version ${found} and this qvd knows up to ${known}: a newer qvd has migrated it; install that one here too, or restore the backup from before the upgrade`,
  );
}
