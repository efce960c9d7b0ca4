import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { createDatabaseStore } from "../../src/broker/database-store.ts";
import { sessions } from "../../src/db/schema/index.ts";
import { asId, type NodeId, type TenantId, type UserId, type VmId } from "../../src/domain/ids.ts";
import { chooseClientParameters } from "../../src/domain/session/client-parameters.ts";
import { describeEndCause } from "../../src/domain/session/end-cause.ts";
import { wishSessionEnd } from "../../src/service/session/wish-end.ts";
import { describeBrokerStore } from "../support/broker-store-contract.ts";
import { createTestDatabase } from "../support/cluster.ts";
import { seedSite } from "../support/db-seed.ts";
import { TableBrokerStore } from "../support/table-broker-store.ts";

describeBrokerStore("tables in memory", async () => {
  const store = new TableBrokerStore();
  store.addDesktop(1, 1);
  store.addDesktop(2, 2);
  const person = (id: number, login: string) => ({
    actor: {
      kind: "user" as const,
      userId: asId<UserId>(id),
      login,
      tenantId: asId<TenantId>(1),
      tenantName: "default",
    },
    vmId: asId<VmId>(id),
  });
  return {
    store,
    alice: person(1, "alice"),
    bob: person(2, "bob"),
    reportListening: async (sessionId, address, port) => {
      const session = store.sessions.find(({ id }) => id === sessionId);
      if (session !== undefined) Object.assign(session, { state: "listening", address, port });
    },
    wishEnded: async (vmId) => {
      const session = store.sessions.find((one) => one.vmId === vmId && !one.isEnded && !one.isSuperseded);
      if (session !== undefined) session.isEndWished = true;
    },
    close: async () => {},
  };
});

describeBrokerStore("PostgreSQL", async () => {
  const database = await createTestDatabase();
  const owner = database.open("qvd_owner").orm;
  const seed = await seedSite(owner);
  const { orm } = database.open("qvd_broker");
  const node = database.open("qvd_node").orm;
  const admin = database.open("qvd_admin").orm;
  return {
    store: createDatabaseStore({ db: orm, nodeId: seed.nodeId, worker: "broker-1" }),
    alice: { actor: seed.aliceActor, vmId: seed.alice.vmId },
    bob: { actor: seed.bobActor, vmId: seed.bob.vmId },
    reportListening: async (sessionId, address, port) => {
      await node
        .update(sessions)
        .set({ state: "listening", address, port })
        .where(eq(sessions.id, sessionId));
    },
    wishEnded: async (vmId) => {
      await wishSessionEnd({ db: admin, actor: seed.siteAdministrator }, { vmId });
    },
    close: () => database.drop(),
  };
});

describe("the store on PostgreSQL, as the broker's role", () => {
  let seed: Awaited<ReturnType<typeof seedSite>>;
  let database: Awaited<ReturnType<typeof createTestDatabase>>;
  beforeAll(async () => {
    database = await createTestDatabase();
    seed = await seedSite(database.open("qvd_owner").orm);
  }, 120_000);
  afterAll(() => database.drop());

  const storeOf = (nodeId: NodeId, worker: string) =>
    createDatabaseStore({ db: database.open("qvd_broker").orm, nodeId, worker });

  test("leaves other workers' sessions alone", async () => {
    const one = storeOf(seed.nodeId, "broker-1");
    const asker = { actor: seed.aliceActor, origin: "192.0.2.1" };
    const client = {
      keyboard: "pc105/us",
      os: "linux",
      link: "adsl",
      geometry: "800x600",
      isFullscreen: false,
    };
    const { sessionId } = await one.requestSession({
      asker,
      vmId: seed.alice.vmId,
      client,
      slaveKey: "k".repeat(64),
    });
    expect(await storeOf(seed.nodeId, "broker-2").closeOrphans()).toBe(0);
    expect(await one.readSession(sessionId)).toMatchObject({ isEnded: false });
    await one.recordEnded(sessionId, { cause: "client-left", bytesToClient: 1, bytesFromClient: 2 });
  });

  test("refuses a foreign desktop in the words that clients show", async () => {
    const store = storeOf(seed.nodeId, "broker-1");
    const asker = { actor: seed.aliceActor, origin: "192.0.2.1" };
    const client = {
      keyboard: "pc105/us",
      os: "linux",
      link: "adsl",
      geometry: "800x600",
      isFullscreen: false,
    };
    const attempt = store.requestSession({ asker, vmId: seed.bob.vmId, client, slaveKey: "k".repeat(64) });
    await expect(attempt).rejects.toMatchObject({
      code: "forbidden",
      message: "You are not allowed to access requested virtual machine",
    });
    await expect(store.wishStopped(asker, seed.bob.vmId)).rejects.toMatchObject({ code: "forbidden" });
    expect((await store.readDesktop(seed.bob.vmId))?.wish).toBe("stopped");
  });

  test("knows what waiting clients are told: the place in the queue, whom a session is taken from, and whether a node has it", async () => {
    const { sql } = database.open("qvd_owner");
    const store = storeOf(seed.nodeId, "broker-7");
    const { vmId } = seed.bob;
    const ask = () =>
      store.requestSession({
        asker: { actor: seed.bobActor, origin: "192.0.2.1" },
        vmId,
        client: chooseClientParameters(new Map()),
        access: "browser",
        parameters: { "qvd.vm.user.home": "/srv/bob" },
        slaveKey: "k",
      });
    await sql`update vms set node_id = null where id = ${vmId}`;
    expect(await ask()).toMatchObject({ hasTakenOver: false, isPlaced: false });
    await sql`update vms set node_id = ${seed.nodeId} where id = ${vmId}`;
    const { sessionId, ...facts } = await ask();
    expect(facts).toMatchObject({ hasTakenOver: true, isPlaced: true });
    const [row] = await sql`select access, parameters from sessions where id = ${sessionId}`;
    expect(row).toEqual({ access: "browser", parameters: { "qvd.vm.user.home": "/srv/bob" } });
    expect((await store.readDesktop(vmId))?.queue).toBeUndefined();
    await sql`insert into vm_reports (vm_id, node_id, epoch, state, queue_position, queue_due_at)
      values (${vmId}, ${seed.nodeId}, 1, 'starting_1', 12, now() + interval '40 seconds')
      on conflict (vm_id) do update set queue_position = 12, queue_due_at = excluded.queue_due_at`;
    const queue = (await store.readDesktop(vmId))?.queue;
    expect(queue?.position).toBe(12);
    expect(Math.round((queue?.dueInMs ?? 0) / 10_000)).toBe(4);
    await sql`update vm_reports set queue_due_at = null where vm_id = ${vmId}`;
    expect((await store.readDesktop(vmId))?.queue).toEqual({ position: 12, dueInMs: undefined });
    await store.closeOrphans();
  });

  test("says of an ended sitting whether its owner or an administrator ended it", async () => {
    const store = storeOf(seed.nodeId, "broker-8");
    const { vmId } = seed.bob;
    for (const [context, cause] of [
      [{ db: database.open("qvd_broker").orm, actor: seed.bobActor }, "ended-by-owner"],
      [{ db: database.open("qvd_admin").orm, actor: seed.siteAdministrator }, "ended-by-administrator"],
    ] as const) {
      const client = chooseClientParameters(new Map());
      const asker = { actor: seed.bobActor, origin: "192.0.2.1" };
      const { sessionId } = await store.requestSession({ asker, vmId, client, slaveKey: "k" });
      await wishSessionEnd(context, { vmId });
      expect(await store.listSessionsToEnd()).toEqual([{ id: sessionId, cause }]);
      await store.recordEnded(sessionId, { cause, bytesToClient: 0, bytesFromClient: 0 });
    }
  });

  describe("looks again at a sitting whose client left", () => {
    const asker = () => ({ actor: seed.bobActor, origin: "192.0.2.1" });
    const ask = (access: "nx" | "browser" = "nx") =>
      storeOf(seed.nodeId, "broker-9").requestSession({
        asker: asker(),
        vmId: seed.bob.vmId,
        client: chooseClientParameters(new Map()),
        access,
        slaveKey: "k",
      });
    const table: [string, string, boolean, string][] = [
      ["none", "running", false, "signed-out"],
      ["stopping", "running", false, "signed-out"],
      ["suspended", "running", false, "client-left"],
      ["connected", "running", false, "client-left"],
      ["none", "stopping_1", false, "client-left"],
      ["none", "running", true, "client-left"],
    ];
    for (const [xState, state, isFollowed, cause] of table)
      test(`${xState} in a desktop that is ${state}${isFollowed ? ", with somebody there since" : ""}: ${cause}`, async () => {
        const { sql } = database.open("qvd_owner");
        const store = storeOf(seed.nodeId, "broker-9");
        const { sessionId } = await ask();
        await store.recordEnded(sessionId, { cause: "client-left", bytesToClient: 9, bytesFromClient: 9 });
        if (isFollowed) await ask();
        await sql`insert into vm_reports (vm_id, node_id, epoch, state, x_state)
          values (${seed.bob.vmId}, ${seed.nodeId}, 1, ${state}, ${xState})
          on conflict (vm_id) do update set state = excluded.state, x_state = excluded.x_state`;
        const events = async () =>
          Number(
            (await sql`select count(*) from vm_events where detail ->> 'sessionId' = ${`${sessionId}`}`)[0]
              ?.count,
          );
        const before = await events();
        await store.recordSecondLook(sessionId);
        await store.recordSecondLook(sessionId);
        const [row] = await sql`select end_cause from sessions where id = ${sessionId}`;
        expect(row?.end_cause).toBe(cause);
        expect((await events()) - before).toBe(cause === "signed-out" ? 1 : 0);
        await store.closeOrphans();
      });

    for (const [access, cause] of [
      ["browser", "signed-out"],
      ["nx", "desktop-closed"],
    ] as const)
      test(`${access}, the desktop closed first and its X session is over: ${cause}`, async () => {
        const { sql } = database.open("qvd_owner");
        const store = storeOf(seed.nodeId, "broker-9");
        const { sessionId } = await ask(access);
        await store.recordEnded(sessionId, { cause: "desktop-closed", bytesToClient: 9, bytesFromClient: 9 });
        await sql`insert into vm_reports (vm_id, node_id, epoch, state, x_state)
          values (${seed.bob.vmId}, ${seed.nodeId}, 1, 'running', 'none')
          on conflict (vm_id) do update set state = excluded.state, x_state = excluded.x_state`;
        await store.recordSecondLook(sessionId);
        const [row] = await sql`select end_cause from sessions where id = ${sessionId}`;
        expect(row?.end_cause).toBe(cause);
        await store.closeOrphans();
      });

    const down: [cause: string, access: "browser" | "console" | "nx", given: Down, end: string][] = [
      ["desktop-closed", "console", { state: "stopping_2", wish: "stopped" }, "desktop-stopped"],
      ["desktop-closed", "browser", { state: "stopped", wish: "stopped" }, "desktop-stopped"],
      ["desktop-closed", "console", { state: "stopped", wish: "running" }, "desktop-closed"],
      ["desktop-closed", "console", { state: "starting_1", wish: "running" }, "desktop-closed"],
      [
        "desktop-closed",
        "console",
        { state: "stopped", wish: "stopped", isFollowed: true },
        "desktop-closed",
      ],
      ["client-left", "console", { state: "running", wish: "running" }, "client-left"],
      ["client-left", "nx", { state: "stopping_2", wish: "stopped" }, "client-left"],
      ["client-left", "nx", { state: "stopping_2", wish: "stopped", isAnnounced: true }, "desktop-stopped"],
      ["superseded", "nx", { state: "stopped", wish: "stopped", isAnnounced: true }, "superseded"],
    ];
    type Down = { state: string; wish: string; isFollowed?: boolean; isAnnounced?: boolean };
    for (const [cause, access, given, end] of down)
      test(`${access}, ${cause}, then ${JSON.stringify(given)}: ${end}`, async () => {
        const { sql } = database.open("qvd_owner");
        const store = storeOf(seed.nodeId, "broker-9");
        const { vmId } = seed.bob;
        const { sessionId } = await ask(access === "console" ? "browser" : access);
        await sql`update sessions set access = ${access} where id = ${sessionId}`;
        await store.recordConnected(sessionId);
        await sql`insert into vm_reports (vm_id, node_id, epoch, state, x_state)
          values (${vmId}, ${seed.nodeId}, 1, 'running', 'none')
          on conflict (vm_id) do update set state = excluded.state`;
        await store.recordEnded(sessionId, { cause, bytesToClient: 9, bytesFromClient: 9 });
        if (given.isAnnounced)
          await sql`insert into vm_events (vm_id, code, text) values (${vmId}, 'poweroff-announced', 'Off.')`;
        if (given.isFollowed) await ask();
        await sql`update vm_reports set state = ${given.state} where vm_id = ${vmId}`;
        await sql`update vms set wish = ${given.wish} where id = ${vmId}`;
        const told = () => sql`select text from vm_events where code = 'session-ended'
          and detail ->> 'sessionId' = ${`${sessionId}`} and text like '%was shut down.'`;
        const before = (await told()).length;
        await store.recordSecondLook(sessionId);
        await store.recordSecondLook(sessionId);
        const [row] = await sql`select end_cause from sessions where id = ${sessionId}`;
        expect(row?.end_cause).toBe(end);
        expect((await told()).length - before).toBe(end === cause ? 0 : 1);
        await store.closeOrphans();
      });
  });

  describe("says of a sitting that was closed by either side", () => {
    const table: [cause: string, state: string, wish: string, drain: string | null, end: string][] = [
      ["client-left", "stopping_1", "stopped", null, "desktop-stopped"],
      ["desktop-closed", "zombie_2", "stopped", "move", "desktop-stopped"],
      ["client-left", "stopping_2", "running", "move", "node-drained"],
      ["desktop-closed", "stopping_2", "running", "move", "node-drained"],
      ["client-left", "stopping_2", "running", "finish", "client-left"],
      ["desktop-closed", "stopping_2", "running", null, "desktop-closed"],
      ["client-left", "running", "stopped", "move", "client-left"],
      ["desktop-closed", "stopped", "stopped", null, "desktop-stopped"],
      ["client-left", "stopped", "running", "move", "client-left"],
      ["superseded", "stopping_2", "stopped", "move", "superseded"],
    ];
    for (const [cause, state, wish, drain, end] of table)
      test(`${cause}, its desktop ${state} and wished ${wish}${drain ? `, drained to ${drain}` : ""}: ${end}`, async () => {
        const { sql } = database.open("qvd_owner");
        const store = storeOf(seed.nodeId, "broker-11");
        const { vmId } = seed.bob;
        const asker = { actor: seed.bobActor, origin: "192.0.2.1" };
        const client = chooseClientParameters(new Map());
        const { sessionId } = await store.requestSession({ asker, vmId, client, slaveKey: "k" });
        await sql`insert into vm_reports (vm_id, node_id, epoch, state, x_state)
          values (${vmId}, ${seed.nodeId}, 1, ${state}, 'none')
          on conflict (vm_id) do update set state = excluded.state`;
        await sql`update vms set wish = ${wish}, node_id = ${seed.nodeId} where id = ${vmId}`;
        await sql`update nodes set drain = ${drain} where id = ${seed.nodeId}`;
        await store.recordEnded(sessionId, { cause, bytesToClient: 9, bytesFromClient: 9 });
        const [row] = await sql`select s.end_cause, e.text from sessions s
          join vm_events e on e.code = 'session-ended' and e.detail ->> 'sessionId' = s.id::text
          where s.id = ${sessionId}`;
        expect(row).toEqual({
          end_cause: end,
          text: `A client's wait ended: ${describeEndCause(end)}.`,
        });
        await sql`update nodes set drain = null where id = ${seed.nodeId}`;
        await sql`delete from vm_reports where vm_id = ${vmId}`;
      });
  });

  test("says that the node was drained where its desktop was let go of before the sitting ended", async () => {
    const { sql } = database.open("qvd_owner");
    const store = storeOf(seed.nodeId, "broker-12");
    const { vmId } = seed.bob;
    const asker = { actor: seed.bobActor, origin: "192.0.2.1" };
    const ends: string[] = [];
    for (const isReleased of [true, false]) {
      const client = chooseClientParameters(new Map());
      const { sessionId } = await store.requestSession({ asker, vmId, client, slaveKey: "k" });
      await store.recordConnected(sessionId);
      if (isReleased)
        await sql`insert into vm_events (vm_id, code, text) values (${vmId}, 'desktop-released', 'It is free.')`;
      await store.recordEnded(sessionId, { cause: "client-left", bytesToClient: 9, bytesFromClient: 9 });
      const [row] = await sql<
        { end_cause: string }[]
      >`select end_cause from sessions where id = ${sessionId}`;
      ends.push(row?.end_cause ?? "");
    }
    expect(ends).toEqual(["node-drained", "client-left"]);
  });

  test("offers desktops as applications as their OSF says", async () => {
    const { sql } = database.open("qvd_owner");
    const store = storeOf(seed.nodeId, "broker-1");
    const isApplication = async () =>
      (await store.listDesktops(seed.aliceActor.userId)).map((desktop) => desktop.isApplication);
    expect(await isApplication()).toEqual([false]);
    await sql`update osfs set is_application = true where id = ${seed.osfId}`;
    expect(await isApplication()).toEqual([true]);
  });

  test("doesn't know a node that isn't registered", async () => {
    expect(await storeOf(asId<NodeId>(4711), "broker-1").readNode()).toBeUndefined();
  });

  test("writes what sittings carry while they last, and keeps it when their worker is lost", async () => {
    const store = storeOf(seed.nodeId, "broker-1");
    const ask = async (actor: typeof seed.aliceActor, vmId: VmId) => {
      const client = chooseClientParameters(new Map());
      const asker = { actor, origin: "192.0.2.1" };
      return (await store.requestSession({ asker, vmId, client, slaveKey: "k".repeat(64) })).sessionId;
    };
    const one = await ask(seed.aliceActor, seed.alice.vmId);
    const other = await ask(seed.bobActor, seed.bob.vmId);
    await store.recordTraffic([]);
    await store.recordTraffic([
      { sessionId: one, bytesToClient: 12_000_000_000, bytesFromClient: 7 },
      { sessionId: other, bytesToClient: 1, bytesFromClient: 2 },
    ]);
    await store.recordEnded(one, { cause: "client-left", bytesToClient: 13_000_000_000, bytesFromClient: 8 });
    await store.recordTraffic([{ sessionId: one, bytesToClient: 1, bytesFromClient: 1 }]);
    expect(await store.closeOrphans()).toBe(1);
    const rows = await database.open("qvd_owner").orm.select().from(sessions);
    expect(rows.find(({ id }) => id === one)).toMatchObject({
      bytesToClient: 13_000_000_000,
      bytesFromClient: 8,
    });
    expect(rows.find(({ id }) => id === other)).toMatchObject({
      endCause: "broker-lost",
      bytesToClient: 1,
      bytesFromClient: 2,
    });
  });
});
