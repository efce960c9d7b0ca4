import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { getTableColumns, getTableName, is } from "drizzle-orm";
import { getTableConfig, PgTable } from "drizzle-orm/pg-core";
import * as schema from "../../src/db/schema/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { dumpSchema } from "../support/schema-dump.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
}, 120_000);
afterAll(() => database.drop());

const exported: readonly unknown[] = Object.values(schema);
const tables = exported.filter((value): value is PgTable => is(value, PgTable));

test("the committed dump is what the migrations lead to", async () => {
  const committed = await readFile(new URL("../../migrations/schema.sql", import.meta.url), "utf8");
  // On a difference: `bun test/support/update-schema-dump.ts`, then read the change.
  expect(await dumpSchema(database)).toBe(committed);
});

test("every table is described, and none that isn't there", async () => {
  const rows = await database.open("qvd_owner").sql<{ name: string }[]>`
    select table_name name from information_schema.tables where table_schema = 'public' and table_name <> 'schema_migrations'`;
  expect(tables.map(getTableName).sort()).toEqual(rows.map((row) => row.name).sort());
});

test.each(tables.map((table) => [getTableName(table), table] as const))(
  "the columns of %s are as described",
  async (name, table) => {
    const rows = await database.open("qvd_owner").sql<
      { name: string; type: string; nullable: string; has_default: boolean }[]
    >`
      select column_name name,
        case data_type when 'ARRAY' then replace(ltrim(udt_name, '_'), 'int4', 'integer') || '[]' else data_type end type, is_nullable nullable,
        column_default is not null or is_identity = 'YES' has_default
      from information_schema.columns where table_schema = 'public' and table_name = ${name} order by 1`;
    const described = Object.values(getTableColumns(table)).map((column) => ({
      name: column.name,
      type: column.getSQLType(),
      nullable: column.notNull ? "NO" : "YES",
      has_default: column.hasDefault || column.generatedIdentity !== undefined,
    }));
    expect(described.sort((one, other) => (one.name < other.name ? -1 : 1))).toEqual([...rows]);
  },
);

test.each(tables.map((table) => [getTableName(table), table] as const))(
  "the primary key of %s is as described",
  async (name, table) => {
    const rows = await database.open("qvd_owner").sql<{ name: string }[]>`
      select attname name from pg_index join pg_attribute on attrelid = indrelid and attnum = any (indkey)
      where indrelid = ${name}::regclass and indisprimary order by 1`;
    const config = getTableConfig(table);
    const single = config.columns.filter((column) => column.primary);
    const several = config.primaryKeys.flatMap((key) => key.columns);
    expect([...single, ...several].map((column) => column.name).sort()).toEqual(rows.map((row) => row.name));
  },
);
