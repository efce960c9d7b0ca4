/** What a round asks of the database, statement by statement: for whoever looks for the next bottleneck. */

import { sql } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";

const MOST = 30;

/** Needs `pg_stat_statements` preloaded. */
export async function resetStatements(owner: Db): Promise<void> {
  await owner.execute(sql`create extension if not exists pg_stat_statements`);
  await owner.execute(sql`select pg_stat_statements_reset(), pg_stat_reset()`);
}

/** A line each, the costliest first; counted for each of `operations`. */
export async function listStatements(owner: Db, operations: number): Promise<readonly string[]> {
  const rows = await owner.execute<{
    calls: number;
    rows: number;
    planMs: number;
    runMs: number;
    walKb: number;
    query: string;
  }>(sql`
    select calls::float8, rows::float8, total_plan_time::float8 as "planMs", total_exec_time::float8 as "runMs",
      wal_bytes::float8 / 1024 as "walKb", regexp_replace(left(query, 400), '\\s+', ' ', 'g') as query
    from pg_stat_statements order by total_plan_time + total_exec_time desc limit ${MOST}`);
  const each = (value: number) => (value / operations).toFixed(3).padStart(8);
  const head = "   calls     rows  plan ms   run ms   WAL kB  (for each operation)";
  const lines = rows.map(
    ({ calls, rows, planMs, runMs, walKb, query }) =>
      `${each(calls)} ${each(rows)} ${each(planMs)} ${each(runMs)} ${each(walKb)}  ${query.slice(0, 110)}`,
  );
  return [head, ...lines, ...(await listTables(owner, operations))];
}

/** Rows written, and how many of them no index had to be told of. */
async function listTables(owner: Db, operations: number): Promise<readonly string[]> {
  const rows = await owner.execute<{ name: string; inserted: number; updated: number; hot: number }>(sql`
    select relname as name, n_tup_ins::float8 as inserted, n_tup_upd::float8 as updated,
      n_tup_hot_upd::float8 as hot
    from pg_stat_user_tables where n_tup_ins + n_tup_upd > 0 order by n_tup_ins + n_tup_upd desc limit 10`);
  return rows.map(({ name, inserted, updated, hot }) => {
    const each = (value: number) => (value / operations).toFixed(3);
    return `${name}: ${each(inserted)} inserted, ${each(updated)} updated, ${each(hot)} of them in place`;
  });
}
