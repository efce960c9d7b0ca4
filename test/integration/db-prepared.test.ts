/** Statements that the server keeps: right on every connection, whatever it knows, and with whatever text. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import type { Database } from "../../src/db/client.ts";
import { brokenConstraint } from "../../src/db/errors.ts";
import { executePrepared, prepared } from "../../src/db/prepared.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";

let site: TestDatabase;
let database: Database;
let owner: Database;
beforeAll(async () => {
  site = await createTestDatabase();
  database = site.open("qvd_node", { max: 1 });
  owner = site.open("qvd_owner", { max: 1 });
});
afterAll(() => site.drop());

const ECHO = prepared(["text"], sql`select $1 as said`);
const say = async (text: string) => {
  const [row] = await executePrepared<{ said: string }>(database.orm, ECHO, [text]);
  return row?.said;
};
const known = async () =>
  (await database.orm.execute(sql`select name from pg_prepared_statements`)).map(({ name }) => name);

describe("a prepared statement", () => {
  test("is told to a server that doesn't know it, once", async () => {
    expect(await known()).not.toContain(ECHO.name);
    expect(await say("one")).toBe("one");
    expect(await known()).toContain(ECHO.name);
    expect(await say("two")).toBe("two");
  });

  test("is not told again to a connection that knows it, because another doesn't", async () => {
    const pool = site.open("qvd_node", { max: 2 });
    const two = () => Promise.all([1, 2].map(() => executePrepared(pool.orm, ECHO, ["x"])));
    await two();
    const plannedAt = async () =>
      (
        await pool.orm.execute(sql`select pg_sleep(0.02), prepare_time::text as at from pg_prepared_statements
        where name = ${ECHO.name}`)
      ).map(({ at }) => at);
    const before = (await Promise.all([plannedAt(), plannedAt()])).flat();
    expect(before.length).toBeGreaterThan(0);
    for (let again = 0; again < 5; again++) await two();
    const after = (await Promise.all([plannedAt(), plannedAt()])).flat();
    for (const at of before) expect(after).toContain(at);
    await pool.close();
  });

  test("is soon known to each open connection, though it is asked by one at a time", async () => {
    const pool = site.open("qvd_node", { max: 3 });
    const askEach = async (name: string) => {
      const ask = () =>
        pool.orm.execute<{ pid: number; knows: boolean }>(sql`select pg_backend_pid() as pid, pg_sleep(0.1),
          exists (select from pg_prepared_statements where name = ${name}) as knows`);
      return (await Promise.all([ask(), ask(), ask()])).flat();
    };
    // Three at once: each has its connection from now on.
    expect(new Set((await askEach("none")).map(({ pid }) => pid)).size).toBe(3);
    const statement = prepared(["int"], sql`select $1 as one_at_a_time`);
    const doAllKnow = async () => {
      await executePrepared(pool.orm, statement, [1]);
      return (await askEach(statement.name)).every(({ knows }) => knows);
    };
    expect(await waitFor(doAllKnow, { timeoutMs: 10_000 })).toBe(true);
    await pool.close();
  });

  test("is told again after the server forgot", async () => {
    await say("known");
    await database.orm.execute(sql`deallocate all`);
    expect(await say("again")).toBe("again");
  });

  test.each([["'"], ["\\"], ["\\'"], ["'; select 1; --"], ['{"a":"\\"\n"}'], ["$1 $$"], ["ä €"], [""]])(
    "takes %p for what it is",
    async (text) => {
      expect(await say(text)).toBe(text);
      await database.orm.execute(sql`set standard_conforming_strings = off`);
      expect(await say(text)).toBe(text);
      await database.orm.execute(sql`reset standard_conforming_strings`);
    },
  );

  test("is told anew after a migration changed what it returns", async () => {
    await owner.orm.execute(sql`create table changing (value int)`);
    await owner.orm.execute(sql`insert into changing values (1)`);
    const all = prepared([], sql`select * from changing`);
    expect(await executePrepared<{ value: number }>(owner.orm, all, [])).toEqual([{ value: 1 }]);
    await owner.orm.execute(sql`alter table changing alter value type text using 'one'`);
    expect(await executePrepared<{ value: string }>(owner.orm, all, [])).toEqual([{ value: "one" }]);
  });

  test("keeps the errors of its execution", async () => {
    const add = prepared(["text"], sql`insert into nodes (name) values ($1) returning id`);
    expect(await executePrepared(database.orm, add, ["twice"])).toHaveLength(1);
    const error = await executePrepared(database.orm, add, ["twice"]).catch((thrown: unknown) => thrown);
    expect(brokenConstraint(error)).toBe("nodes_name_key");
  });

  test("is planned for any values, by indexes, and never compiled", async () => {
    const settings = prepared(
      [],
      sql`select current_setting('plan_cache_mode') as plan, current_setting('enable_seqscan') as scan,
        current_setting('jit') as jit`,
    );
    const [row] = await executePrepared(database.orm, settings, []);
    expect(row).toEqual({ plan: "force_generic_plan", scan: "off", jit: "off" });
  });

  test("has no parameters but those it names", () => {
    expect(() => prepared(["int"], sql`select ${7}::int`)).toThrow("told its values");
  });
});
