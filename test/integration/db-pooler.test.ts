/** What we ask of the server must work behind a pooler that gives each transaction another connection. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import type { Database } from "../../src/db/client.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";

let site: TestDatabase;
let database: Database;
beforeAll(async () => {
  site = await createTestDatabase();
  database = site.open("qvd_node", { max: 1 });
});
afterAll(() => site.drop());

test("nothing is prepared under a name, by statements or by transactions", async () => {
  await database.orm.transaction(async (tx) => {
    await tx.execute(sql`select ${1}::int`);
    await tx.transaction((inner) => inner.execute(sql`select ${2}::int`));
  });
  const left = await database.orm.execute(sql`select statement from pg_prepared_statements where name <> ''`);
  expect(left.map((row) => row.statement)).toEqual([]);
});
