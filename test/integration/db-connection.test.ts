/** What happens when connections or the server go away: nothing half done, nobody dies, everything comes back. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { sql } from "drizzle-orm";
import { type Database, openDatabase } from "../../src/db/client.ts";
import { attemptDatabase, isDatabaseAway } from "../../src/db/errors.ts";
import { listenForNotices } from "../../src/db/listen.ts";
import { notify } from "../../src/db/notify.ts";
import { tenants } from "../../src/db/schema/index.ts";
import type { DatabaseAddress } from "../../src/db/url.ts";
import { isAppError } from "../../src/lib/errors.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createTenant } from "../../src/service/tenant/create.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { type Server, serverAt, startServer, stopServer } from "../support/db-server.ts";

async function killBackends(owner: Database, applicationName: string): Promise<void> {
  await owner.sql`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = ${applicationName} and datname = current_database()`;
}

describe("a connection lost inside a transaction", () => {
  let database: TestDatabase;
  let owner: Database;
  beforeAll(async () => {
    database = await createTestDatabase();
    owner = database.open("qvd_owner");
    await owner.sql`create table marks (id int)`;
  }, 120_000);
  afterAll(() => database.drop());

  // Unpatched, postgres.js runs the second insert on a new connection, outside any transaction, and commits it.
  test("leaves nothing of it, whatever is sent afterwards", async () => {
    const victim = database.open("qvd_owner", { applicationName: "victim-drizzle" });
    const attempt = victim.orm.transaction(async (tx) => {
      await tx.execute(sql`insert into marks values (1)`);
      await killBackends(owner, "victim-drizzle");
      await tx.execute(sql`insert into marks values (2)`).catch(() => undefined);
      await tx.execute(sql`insert into marks values (3)`);
    });
    await expect(attempt).rejects.toThrow();
    expect(await owner.sql`select id from marks`).toHaveLength(0);
    // The pool is well again.
    await victim.orm.execute(sql`insert into marks values (4)`);
    expect(await owner.sql`select id from marks`).toHaveLength(1);
    await owner.sql`delete from marks`;
  });

  // Unpatched, a timer of postgres.js writes to a socket that is gone and the process dies of it; or what was
  // not yet written is sent before the next connection's greeting, and nothing ever comes back.
  test("while it writes neither ends the process nor holds it up", async () => {
    const script = `
      import { openDatabase } from "${new URL("../../src/db/client.ts", import.meta.url).pathname}";
      const address = ${JSON.stringify(database.address("qvd_owner"))};
      const { sql: owner } = openDatabase(address, { applicationName: "executioner" });
      const { sql } = openDatabase(address, { applicationName: "victim-raw" });
      for (let round = 0; round < 40; round++) {
        await sql.begin(async (tx) => {
          await tx\`select 1\`;
          const killed = owner\`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim-raw' and datname = current_database()\`;
          const writes = Array.from({ length: 5 }, () => tx\`insert into marks select generate_series(1, 10)\`.catch(() => 0));
          await Promise.all([killed, ...writes]);
          await tx\`insert into marks values (99)\`;
        }).catch(() => 0);
      }
      const [row] = await owner\`select count(*)::int count from marks\`;
      console.log("alive", row.count);
      process.exit(0);
    `;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "pipe" });
    const said = await new Response(child.stdout).text();
    expect(await child.exited).toBe(0);
    expect(said.trim()).toBe("alive 0");
  }, 90_000);

  // Unpatched, the old connection's last error is given to the new one's first query.
  test("is not told to the query that comes after it", async () => {
    const victim = database.open("qvd_owner", { max: 1, applicationName: "victim-busy" });
    for (let round = 0; round < 5; round++) {
      const busy = victim.orm.execute(sql`select pg_sleep(10)`).catch((error) => error);
      await waitFor(
        async () =>
          (
            await owner.sql`select 1 from pg_stat_activity where application_name = 'victim-busy' and state = 'active'`
          ).length > 0,
        { timeoutMs: 15_000 },
      );
      await killBackends(owner, "victim-busy");
      expect(isDatabaseAway(await busy)).toBe(true);
      expect(await victim.orm.execute(sql`select 1 one`)).toHaveLength(1);
    }
  }, 90_000);

  // Unpatched, it waits for an answer that can't come, until its deadline.
  test("doesn't hold up who closes the client then", async () => {
    for (let round = 0; round < 6; round++) {
      const victim = openDatabase(database.address("qvd_owner"), { applicationName: "victim-closed" });
      await victim.sql`select 1`;
      await killBackends(owner, "victim-closed");
      await victim.sql`select 1`.catch(() => undefined);
      const startedMs = performance.now();
      await victim.close();
      expect(performance.now() - startedMs).toBeLessThan(4_500);
    }
  }, 60_000);

  test("is told as database-away by a verb, and nothing of it stays", async () => {
    const victim = database.open("qvd_owner", { max: 1, applicationName: "victim-verb" });
    const context = { db: victim.orm, actor: { kind: "system", what: "test" } as const };
    await createTenant(context, { name: "before" });
    const isLocked = Promise.withResolvers<void>();
    const blocker = owner.sql.begin(async (tx) => {
      await tx`lock table audit_log in access exclusive mode`;
      isLocked.resolve();
      // The verb waits for the lock with its first write done; then its connection is cut. A transaction sees others as they
      // were when it looked first.
      const isWaiting = async () =>
        (
          await tx`select 1 from pg_stat_clear_snapshot(), pg_stat_activity where datname = current_database() and application_name = 'victim-verb' and wait_event_type = 'Lock'`
        ).length > 0;
      expect(await waitFor(isWaiting, { timeoutMs: 10_000 })).toBe(true);
      await tx`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'victim-verb'`;
    });
    await isLocked.promise;
    const outcome = await createTenant(context, { name: "half" }).catch((error) => error);
    await blocker;
    expect(isAppError(outcome) && outcome.code).toBe("database-away");
    const names = (await owner.orm.select().from(tenants)).map((tenant) => tenant.name);
    expect(names).toContain("before");
    expect(names).not.toContain("half");
  }, 90_000);

  test("listening begins anew, and catches up", async () => {
    const heard: string[] = [];
    let caughtUp = 0;
    const listening = listenForNotices(database.address("qvd_node"), {
      onNotice: (payload) => heard.push(payload),
      onCatchUp: () => {
        caughtUp += 1;
      },
    });
    expect(await waitFor(() => caughtUp === 1, { timeoutMs: 15_000 })).toBe(true);
    await notify(database.open("qvd_node").orm, "one");
    expect(await waitFor(() => heard.length === 1, { timeoutMs: 15_000 })).toBe(true);
    await killBackends(owner, "qvd listen");
    expect(await waitFor(() => caughtUp === 2, { timeoutMs: 10_000 })).toBe(true);
    await notify(database.open("qvd_node").orm, "two");
    expect(await waitFor(() => heard.at(-1) === "two", { timeoutMs: 15_000 })).toBe(true);
    await listening.close();
  }, 90_000);
});

describe("a server that stops and starts", () => {
  let server: Server;
  let address: DatabaseAddress;
  beforeAll(async () => {
    server = serverAt(await mkdtemp(`${tmpdir()}/qvd-test-restart-`));
    address = { kind: "socket", folder: server.socketFolder, role: "qvd_owner", database: "postgres" };
    await startServer(server);
  }, 60_000);
  afterAll(async () => {
    await stopServer(server, "immediate");
    await rm(server.folder, { recursive: true, force: true });
  });

  const ask = (database: Database) =>
    attemptDatabase("ask", () => database.orm.execute<{ one: number }>(sql`select 1 one`));

  test.each(["fast", "immediate"] as const)(
    "(%s) fails queries at once with database-away, and the first one after works",
    async (mode) => {
      const database = openDatabase(address);
      await ask(database);
      await stopServer(server, mode);
      for (let round = 0; round < 3; round++) {
        const startedMs = performance.now();
        const error = await ask(database).catch((caught) => caught);
        expect(isAppError(error) && error.code).toBe("database-away");
        expect(isDatabaseAway(error)).toBe(true);
        expect(performance.now() - startedMs).toBeLessThan(4_000);
      }
      await startServer(server);
      expect((await ask(database))[0]?.one).toBe(1);
      await database.close();
    },
    60_000,
  );

  test("that was never there is found by a listener that came first", async () => {
    await stopServer(server);
    let isAway = false;
    let caughtUp = 0;
    const listening = listenForNotices(address, {
      onNotice: () => undefined,
      onCatchUp: () => {
        caughtUp += 1;
      },
      onAway: () => {
        isAway = true;
      },
    });
    expect(await waitFor(() => isAway, { timeoutMs: 15_000 })).toBe(true);
    await startServer(server);
    expect(await waitFor(() => caughtUp > 0, { timeoutMs: 10_000 })).toBe(true);
    await listening.close();
  }, 60_000);
});
