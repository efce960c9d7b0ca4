/**
 * The one way to open the database. A pool reconnects by itself: while PostgreSQL is away each query fails at
 * once, and the first one after its return works. Two clients, because drizzle changes the parsers of the
 * client that it is given (timestamps become text); raw SQL gets one of its own, which costs nothing until used.
 */

import type { PgDatabase } from "drizzle-orm/pg-core";
import { drizzle, type PostgresJsQueryResultHKT } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import type { DatabaseAddress } from "./url.ts";

/** What reads and writes take: a database or a transaction of one. */
export type Db = PgDatabase<PostgresJsQueryResultHKT, Record<string, never>>;

export type Database = {
  readonly orm: Db;
  readonly sql: postgres.Sql;
  /** Lets running queries end, for at most 5 s; may be called twice. */
  close(): Promise<void>;
};

export type OpenOptions = {
  /** Connections at most; they are opened when needed and closed when idle. */
  readonly max?: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
  readonly onNotice?: (text: string) => void;
};

/** The client below `db`; undefined inside a transaction, and where `db` is no database of `openDatabase`. */
export function driverOf(db: Db): postgres.Sql | undefined {
  return Reflect.get(db, "$client");
}

/** Connects when first used, not now. */
export function openDatabase(address: DatabaseAddress, options: OpenOptions = {}): Database {
  const ours = openClient(address, { ...options, max: options.max ?? 4 });
  const raw = openClient(address, { ...options, max: 1 });
  return {
    orm: drizzle(ours),
    sql: raw,
    close: async () => {
      await Promise.all([ours.end({ timeout: 5 }), raw.end({ timeout: 5 })]);
    },
  };
}

/** A bare postgres.js client with our deadlines, for what lives outside a pool (LISTEN, migrations). */
export function openClient(
  address: DatabaseAddress,
  options: OpenOptions & { readonly idleTimeoutSeconds?: number; readonly onClose?: () => void } = {},
): postgres.Sql {
  const { onNotice, onClose } = options;
  const settings = {
    max: options.max ?? 1,
    connect_timeout: 5,
    idle_timeout: options.idleTimeoutSeconds ?? 60,
    // A pooler may give each transaction another server, which doesn't know what was prepared. The driver then
    // sends a failed `commit` again, which ends the broken transaction and looks like success: nothing is written.
    prepare: false,
    // One statement of a connection at a time: what is sent ahead would follow the first one's server, which the
    // pooler gives to somebody else as soon as the first has its answer; the second then waits for ever.
    max_pipeline: 0,
    // A pause between tries that stays short: a box must notice at once that its database is back.
    backoff: (tries: number) => Math.min(0.05 * 2 ** tries, 1),
    onnotice: (notice: postgres.Notice) => onNotice?.(notice.message ?? ""),
    ...(onClose === undefined ? {} : { onclose: onClose }),
    connection: {
      application_name: options.applicationName ?? "qvd",
      // Every wait has a deadline, on the server's side too.
      statement_timeout: 30_000,
      lock_timeout: 10_000,
      idle_in_transaction_session_timeout: 60_000,
    },
  };
  if (address.kind === "url") return postgres(address.url, settings);
  return postgres({
    ...settings,
    host: address.folder,
    port: 5432,
    username: address.role,
    password: "",
    database: address.database,
  });
}
