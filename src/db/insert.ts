/**
 * An insert that names the columns given and no others. Drizzle lists every column of the table (`default` for
 * the rest), which needs the right to insert each of them; our roles have it for the columns of their verbs only.
 */

import { getTableColumns, type InferInsertModel, type SQL, sql } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import { invariant } from "../lib/errors.ts";
import type { Db } from "./client.ts";

/** Inserts one row and returns its `id` column. */
export async function insertRow<Table extends PgTable>(
  db: Db,
  table: Table,
  values: InferInsertModel<Table>,
): Promise<number> {
  const rows = await db.execute<{ id: number | string }>(sql`${insertOf(table, values)} returning id`);
  const id = rows[0]?.id;
  invariant(id !== undefined, "an insert returns its row");
  return Number(id);
}

function insertOf<Table extends PgTable>(table: Table, values: InferInsertModel<Table>): SQL {
  const given = new Map(Object.entries(values).filter(([, value]) => value !== undefined));
  const columns = Object.entries(getTableColumns(table)).filter(([key]) => given.has(key));
  const names = columns.map(([, column]) => sql.identifier(column.name));
  const params = columns.map(([key, column]) => sql.param(given.get(key), column));
  return sql`insert into ${table} (${sql.join(names, sql`, `)}) values (${sql.join(params, sql`, `)})`;
}
