/**
 * Statements that the server plans once for each of its connections. Planning a join of eight tables costs ten
 * times its execution, and a large site does it a thousand times a second. The driver's own way (a name for each
 * client's connection) does not survive a pooler that gives each transaction another server; here the statement
 * is executed by a name that is made of its text, and where the server doesn't know it yet, it is told and
 * executed in one message, which no pooler parts. That the plan is one for any values, and by indexes, is a setting
 * of the node's role (migration 3): sent with each execution it cost as much as the cheapest of them.
 */

import { DrizzleQueryError, type SQL, sql } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import { type Db, driverOf } from "./client.ts";
import { isStatementChanged, isStatementUnknown } from "./errors.ts";
import { formatLiteral, type LiteralValue } from "./literal.ts";

export type Prepared = { readonly name: string; readonly definition: string };

/** `types` are those of `$1`, `$2`… in `text`, which has no other parameters. */
export function prepared(types: readonly string[], text: SQL): Prepared {
  const { sql: body, params } = new PgDialect().sqlToQuery(text);
  if (params.length > 0) throw new Error("a prepared statement is told its values when it is executed");
  const signature = `${types.length === 0 ? "" : `(${types.join(", ")})`} as ${body}`;
  const name = `qvd_${Bun.hash(signature).toString(36)}`;
  return { name, definition: `prepare ${name}${signature}` };
}

/**
 * Rows of one execution. Dearer inside a transaction, which a first try that fails would end: there the statement is told
 * each time. `bigint` comes as text, so statements cast it.
 */
export async function executePrepared<Row extends Record<string, unknown>>(
  db: Db,
  statement: Prepared,
  values: readonly LiteralValue[],
): Promise<readonly Row[]> {
  const { name } = statement;
  const given = values.length === 0 ? "" : `(${values.map(formatLiteral).join(", ")})`;
  const execute = `execute ${name}${given}`;
  const driver = driverOf(db);
  if (driver === undefined) {
    await executeBuilt(db, define(statement, false));
    return (await executeBuilt(db, execute)) as Row[];
  }
  try {
    return await lastRows<Row>(driver, execute);
  } catch (error) {
    if (!isStatementUnknown(error)) throw error;
    const told = define(statement, isStatementChanged(error));
    const rows = await lastRows<Row>(driver, `${told}; ${execute}`);
    void tellOthers(driver, told);
    return rows;
  }
}

/**
 * Most likely that went by another connection than the one that didn't know it, which would go on not knowing: idle ones
 * are asked in turn. So all are told, one after the other, for which the driver opens none; nobody waits for it.
 */
async function tellOthers(driver: NonNullable<ReturnType<typeof driverOf>>, told: string): Promise<void> {
  try {
    for (let others = driver.options.max - 1; others > 0; others--) await driver.unsafe(told);
  } catch {
    // Who wasn't told is told when it is asked.
  }
}

/**
 * The pool may send this by another connection than the one that didn't know the statement. One that knows it
 * already keeps its plan, or two that take turns would plan for ever; only after a migration is it told anew.
 */
function define({ name, definition }: Prepared, isChanged: boolean): string {
  const known = `exists (select from pg_prepared_statements where name = '${name}')`;
  const body = `begin
    if ${isChanged} and ${known} then execute 'deallocate ${name}'; end if;
    if not ${known} then execute ${formatLiteral(definition)}; end if;
  end`;
  return `do language plpgsql ${formatLiteral(body)}`;
}

/**
 * Of a message with several statements the driver returns the rows of each. Past the layer that builds queries, which has
 * nothing to build here and takes a third of a box's time for that.
 */
async function lastRows<Row extends Record<string, unknown>>(
  driver: NonNullable<ReturnType<typeof driverOf>>,
  text: string,
): Promise<readonly Row[]> {
  const answers: readonly unknown[] = await driver.unsafe(text);
  const last = answers.at(-1);
  // A statement after others: the driver's answer is a list of lists.
  return (Array.isArray(last) ? last : answers) as Row[];
}

/** Without the words of the layer that repeats the whole statement: its values are many and nobody's business in a log. */
async function executeBuilt(db: Db, text: string): Promise<readonly unknown[]> {
  return await db.execute(sql.raw(text)).catch((error: unknown) => {
    throw error instanceof DrizzleQueryError && error.cause !== undefined ? error.cause : error;
  });
}
