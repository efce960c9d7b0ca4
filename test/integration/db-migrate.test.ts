import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { MIGRATIONS } from "../../migrations/index.ts";
import { migrate, readSchemaVersion, requireSchema } from "../../src/db/migrate.ts";
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from "../support/cluster.ts";

const NEWEST = MIGRATIONS.length;

describe("migrations", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createEmptyDatabase();
  }, 120_000);
  afterAll(() => database.drop());

  test("several that start at once apply each migration once", async () => {
    const owner = database.open("qvd_owner");
    expect(await readSchemaVersion(owner.sql)).toBe(0);
    const results = await Promise.all([1, 2, 3, 4].map(() => migrate(database.address("qvd_owner"))));
    expect(results.filter((result) => result.from === 0)).toHaveLength(1);
    expect(results.every((result) => result.to === NEWEST)).toBe(true);
    const rows = await owner.sql`select number, name from schema_migrations order by number`;
    expect(rows.map((row) => row.number)).toEqual(MIGRATIONS.map((migration) => migration.number));
  });

  test("once more changes nothing", async () => {
    expect(await migrate(database.address("qvd_owner"))).toEqual({ from: NEWEST, to: NEWEST });
  });

  test("one that fails leaves everything as it was", async () => {
    const broken = { number: NEWEST + 1, name: "broken", text: "create table half (id int); select 1/0" };
    const attempt = migrate(database.address("qvd_owner"), { migrations: [...MIGRATIONS, broken] });
    await expect(attempt).rejects.toThrow("(broken) failed; nothing was changed");
    const owner = database.open("qvd_owner");
    expect(await readSchemaVersion(owner.sql)).toBe(NEWEST);
    const [found] = await owner.sql`select to_regclass('half') half`;
    expect(found?.half).toBeNull();
  });

  test.each(["qvd_node", "qvd_admin", "qvd_auth", "qvd_broker"] as const)(
    "%s can read the version and not change it",
    async (role) => {
      const { sql } = database.open(role);
      expect(await readSchemaVersion(sql)).toBe(NEWEST);
      await requireSchema(sql);
      await expect(
        sql`insert into schema_migrations (number, name) values (99, 'x')`.execute(),
      ).rejects.toThrow("permission denied");
    },
  );

  test("the owner of an outside database gives the roles their passwords", async () => {
    const passwords = { qvd_broker: "a-password_of-20-chars" };
    await migrate(database.address("qvd_owner"), { passwords });
    const [row] = await database.open("qvd_owner")
      .sql`select rolpassword is not null has from pg_authid where rolname = 'qvd_broker'`;
    expect(row?.has).toBe(true);
  });

  test("a password with quotes in it never reaches SQL", async () => {
    const passwords = { qvd_broker: "x'; drop table users; --" };
    await expect(migrate(database.address("qvd_owner"), { passwords })).rejects.toThrow("characters");
  });
});

describe("a database of another version", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  }, 120_000);
  afterAll(() => database.drop());

  test("that is newer is refused with advice, by migrate and by every process", async () => {
    const owner = database.open("qvd_owner");
    await owner.sql`insert into schema_migrations (number, name) values (${NEWEST + 1}, 'future')`;
    const advice = `the database is at version ${NEWEST + 1} and this qvd knows up to ${NEWEST}`;
    await expect(migrate(database.address("qvd_owner"))).rejects.toThrow(advice);
    await expect(requireSchema(owner.sql)).rejects.toThrow(advice);
    await owner.sql`delete from schema_migrations where number = ${NEWEST + 1}`;
  });

  test("that is older sends to qvd migrate", async () => {
    const owner = database.open("qvd_owner");
    await owner.sql`delete from schema_migrations where number = ${NEWEST}`;
    await expect(requireSchema(owner.sql)).rejects.toThrow("run `qvd migrate`");
  });
});

test("migrations are numbered from 1 without a gap", () => {
  expect(MIGRATIONS.map((migration) => migration.number)).toEqual(MIGRATIONS.map((_, index) => index + 1));
});
