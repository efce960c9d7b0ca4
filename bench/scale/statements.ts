/** What a round asks of the database, statement by statement: for whoever looks for the next bottleneck. */

import { sql } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";

const MOST = 30;

/** Needs `pg_stat_statements` preloaded. */
export async function resetStatements(owner: Db): Promise<void> {
  await owner.execute(sql`create extension if not exists pg_stat_statements`);
  await owner.execute(sql`select pg_stat_statements_reset()`);
}

/** A line each, the costliest first; counted for each of `operations`. */
export async function listStatements(owner: Db, operations: number): Promise<readonly string[]> {
  const rows = await owner.execute<{
    calls: number;
    planMs: number;
    runMs: number;
    walKb: number;
    query: string;
  }>(sql`
    select calls::float8, total_plan_time::float8 as "planMs", total_exec_time::float8 as "runMs",
      wal_bytes::float8 / 1024 as "walKb", regexp_replace(left(query, 400), '\\s+', ' ', 'g') as query
    from pg_stat_statements order by total_plan_time + total_exec_time desc limit ${MOST}`);
  const each = (value: number) => (value / operations).toFixed(3).padStart(8);
  const head = "   calls  plan ms   run ms   WAL kB  (for each operation)";
  const lines = rows.map(
    ({ calls, planMs, runMs, walKb, query }) =>
      `${each(calls)} ${each(planMs)} ${each(runMs)} ${each(walKb)}  ${query.slice(0, 110)}`,
  );
  return [head, ...lines];
}
