import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";
import { listAdministrators } from "../../src/db/queries/administrators.ts";
import { listAudit } from "../../src/db/queries/audit.ts";
import { listDesktops, readDesktop } from "../../src/db/queries/desktops.ts";
import { listImages, readImage } from "../../src/db/queries/images.ts";
import { listImageIds, listUnverifiedImages } from "../../src/db/queries/node-images.ts";
import { listNodes, readNode, readNodeByName } from "../../src/db/queries/nodes.ts";
import { listOsfs, readOsf } from "../../src/db/queries/osfs.ts";
import { readOverview } from "../../src/db/queries/overview.ts";
import { listSessions } from "../../src/db/queries/sessions.ts";
import { findTenantByName, listTenants } from "../../src/db/queries/tenants.ts";
import { listTrail } from "../../src/db/queries/trail.ts";
import { listUnplacedVms } from "../../src/db/queries/unplaced-vms.ts";
import { listUserChoices, listUsers, readUser } from "../../src/db/queries/users.ts";
import { sessions, vmReports } from "../../src/db/schema/index.ts";
import type { Context } from "../../src/service/context.ts";
import { enrolImage } from "../../src/service/image/enrol.ts";
import { requestSession } from "../../src/service/session/request.ts";
import { createVm } from "../../src/service/vm/create.ts";
import { deleteVm } from "../../src/service/vm/delete.ts";
import { wishVmRunning } from "../../src/service/vm/wish-running.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { SEED_RANGE, type Seed, seedSite } from "../support/db-seed.ts";

const ALL = { page: 1, pageSize: 100 };
const CLIENT = { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "1024x768", isFullscreen: false };

let database: TestDatabase;
let owner: Db;
/** Reads of pages are made as the role that makes them in earnest. */
let admin: Db;
let node: Db;
let seed: Seed;
let other: Seed;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = database.open("qvd_owner").orm;
  admin = database.open("qvd_admin").orm;
  node = database.open("qvd_node").orm;
  seed = await seedSite(owner);
  other = await seedSite(owner, { tenant: "acme" });
  const alice: Context = { db: owner, actor: seed.aliceActor };
  const { vmId } = seed.alice;
  const { sessionId } = await requestSession(alice, {
    vmId,
    client: CLIENT,
    slaveKey: "k".repeat(64),
    clientAddress: "198.51.100.7",
    brokerNodeId: seed.nodeId,
    brokerWorker: "w1",
  });
  await owner.update(sessions).set({ connectedAt: new Date() }).where(eq(sessions.id, sessionId));
  await owner.insert(vmReports).values({
    vmId,
    nodeId: seed.nodeId,
    epoch: 1,
    state: "running",
    generationSeen: 1,
    diId: seed.diId,
    hasAgent: true,
    xState: "connected",
  });
}, 120_000);
afterAll(() => database.drop());

describe("desktops", () => {
  test("show intent and truth side by side", async () => {
    expect(await readDesktop(admin, seed.alice.vmId)).toMatchObject({
      id: seed.alice.vmId,
      name: "alice-desktop",
      tenant: "default",
      user: "alice",
      osf: "desktop",
      tag: "default",
      address: seed.alice.address,
      wish: "running",
      generation: 1,
      state: "running",
      xState: "connected",
      isConnected: true,
      hasAgent: true,
      clientAddress: "198.51.100.7",
      runningVersion: "1.0",
      node: "default-node",
      fault: null,
    });
  });

  test("that never ran are stopped", async () => {
    expect(await readDesktop(admin, seed.bob.vmId)).toMatchObject({
      state: "stopped",
      stateAt: null,
      xState: "none",
      isConnected: false,
      hasAgent: false,
      runningVersion: null,
    });
  });

  test.each([
    ["nothing", {}, ["alice-desktop", "alice-desktop", "bob-desktop", "bob-desktop"]],
    ["part of a name", { search: "ALICE-d" }, ["alice-desktop", "alice-desktop"]],
    ["a login", { search: "bob" }, ["bob-desktop", "bob-desktop"]],
    ["signs that mean something in SQL", { search: "%" }, []],
    ["more of those", { search: "a_ice" }, []],
    ["and those", { search: "\\" }, []],
    ["a state", { states: ["running"] as const }, ["alice-desktop"]],
    [
      "two states",
      { states: ["running", "stopped"] as const, search: "alice" },
      ["alice-desktop", "alice-desktop"],
    ],
  ])("are searched by %s", async (_, filter, names) => {
    const page = await listDesktops(admin, filter, ALL);
    expect(page.items.map((row) => row.name)).toEqual(names);
    expect(page.total).toBe(names.length);
  });

  test("are searched by address and by id", async () => {
    const byAddress = await listDesktops(admin, { search: seed.bob.address }, ALL);
    expect(byAddress.items.map((row) => row.id)).toEqual([seed.bob.vmId]);
    const byId = await listDesktops(admin, { search: String(other.bob.vmId), tenantId: other.tenantId }, ALL);
    expect(byId.items.map((row) => row.id)).toContain(other.bob.vmId);
  });

  test("are read a page at a time, each once", async () => {
    const pages = await Promise.all([1, 2, 3].map((page) => listDesktops(admin, {}, { page, pageSize: 2 })));
    expect(pages.map((page) => page.items.length)).toEqual([2, 2, 0]);
    expect(pages.every((page) => page.total === 4)).toBe(true);
    expect(new Set(pages.flatMap((page) => page.items.map((row) => row.id))).size).toBe(4);
  });

  test("of another tenant don't exist", async () => {
    expect(await readDesktop(admin, seed.alice.vmId, other.tenantId)).toBeUndefined();
    const page = await listDesktops(admin, { tenantId: other.tenantId }, ALL);
    expect(page.items.map((row) => row.tenant)).toEqual(["acme", "acme"]);
  });
});

describe("the trail", () => {
  test("goes newest first, and on from where a page ended", async () => {
    const all = await listTrail(admin, seed.alice.vmId, { limit: 10 });
    expect(all.map((row) => row.code)).toEqual(["wish-recorded", "session-requested"]);
    expect(all[0]).toMatchObject({ actor: "user:alice@default", generation: 1, node: null });
    const older = await listTrail(admin, seed.alice.vmId, { limit: 10, beforeId: all[0]?.id });
    expect(older.map((row) => row.code)).toEqual(["session-requested"]);
  });
});

describe("lists of the pages", () => {
  test("users, with their desktops and connections", async () => {
    const page = await listUsers(admin, { search: "ali" }, ALL);
    expect(page.items).toMatchObject([
      { login: "alice", tenant: "default", desktops: 1, connected: 1 },
      { login: "alice", tenant: "acme", desktops: 1, connected: 0 },
    ]);
    expect(page.total).toBe(2);
    expect(await readUser(admin, seed.bob.userId)).toMatchObject({ login: "bob" });
    expect(await readUser(admin, seed.bob.userId, other.tenantId)).toBeUndefined();
    expect(await listUserChoices(admin, other.tenantId)).toHaveLength(2);
  });

  test("images, with their tags", async () => {
    const page = await listImages(admin, { tenantId: seed.tenantId, search: "1." }, ALL);
    expect(page).toMatchObject({ total: 1, page: 1, pageSize: 100 });
    expect(page.items[0]).toMatchObject({
      version: "1.0",
      osf: "desktop",
      state: "ready",
      sizeBytes: 1000,
      running: 1,
      tags: [
        { tag: "default", isFixed: false },
        { tag: "1.0", isFixed: true },
      ],
    });
    expect(await readImage(admin, seed.diId, other.tenantId)).toBeUndefined();
  });

  test("OSFs, with how many use them", async () => {
    expect(await listOsfs(admin, { tenantId: seed.tenantId })).toMatchObject([
      { name: "desktop", memoryMb: 1024, cpus: 2, images: 1, desktops: 2, tags: ["1.0", "default"] },
    ]);
    expect(await readOsf(admin, seed.osfId, other.tenantId)).toBeUndefined();
  });

  test("nodes, whose lease counts by the database's clock", async () => {
    expect((await listNodes(admin)).map((row) => row.name)).toEqual(["acme-node", "default-node"]);
    const before = await readNode(admin, seed.nodeId);
    expect(before).toMatchObject({
      state: "stopped",
      isLeaseValid: false,
      desktops: 2,
      running: 1,
      connected: 1,
    });
    await database.open("qvd_owner").sql`
      insert into leases (node_id, valid_until) values (${seed.nodeId}, qvd_now() + interval '10 s')`;
    expect(await readNodeByName(admin, "default-node")).toMatchObject({ isLeaseValid: true, epoch: 1 });
  });

  test("sessions, live ones and all", async () => {
    const live = await listSessions(admin, { tenantId: seed.tenantId, isLive: true }, ALL);
    expect(live.total).toBe(1);
    expect(live.items[0]).toMatchObject({ vm: "alice-desktop", user: "alice", endedAt: null });
    expect((await listSessions(admin, { userId: seed.bob.userId }, ALL)).total).toBe(0);
  });

  test("tenants and administrators", async () => {
    expect((await listTenants(admin)).map((row) => row.name)).toEqual(["acme", "default"]);
    expect((await listTenants(admin, other.tenantId)).map((row) => row.name)).toEqual(["acme"]);
    expect((await findTenantByName(admin, "*"))?.id).toBe(0 as Seed["tenantId"]);
    expect(await listAdministrators(admin, { tenantId: seed.tenantId })).toMatchObject([
      { login: "admin", tenant: "default", roles: ["administrator"] },
    ]);
  });

  test("the audit log of one thing", async () => {
    const rows = await listAudit(admin, { subject: { kind: "vm", id: seed.alice.vmId }, limit: 10 });
    expect(rows.map((row) => row.action)).toEqual(["session.request", "vm.place", "vm.create"]);
  });

  test("the figures of the first page, of the site and of a tenant", async () => {
    expect(await readOverview(admin)).toMatchObject({ desktops: 4, users: 4, images: 2, liveSessions: 1 });
    const overview = await readOverview(admin, seed.tenantId);
    expect(overview).toMatchObject({
      desktops: 2,
      users: 2,
      images: 1,
      connectedSessions: 1,
      failedImages: 0,
    });
    expect(overview.desktopsByState).toMatchObject({ running: 1, stopped: 1, zombie_2: 0 });
  });
});

describe("what a node looks for", () => {
  test("desktops without a node, once somebody wants something of them", async () => {
    const system: Context = { db: owner, actor: { kind: "system", what: "test" } };
    const deps = { networkRange: SEED_RANGE };
    const make = async (name: string) =>
      (await createVm(system, deps, { userId: seed.bob.userId, osfId: seed.osfId, name })).vmId;
    const [idle, wanted, deleted] = [await make("idle"), await make("wanted"), await make("deleted")];
    await wishVmRunning(system, { vmId: wanted });
    await deleteVm(system, { vmId: deleted });
    const found = (await listUnplacedVms(node)).map((row) => row.vmId);
    expect(found).toEqual([wanted, deleted]);
    expect(found).not.toContain(idle);
  });

  test("images that nobody has verified", async () => {
    const system: Context = { db: owner, actor: { kind: "system", what: "test" } };
    const { diId } = await enrolImage(system, { osfId: seed.osfId, fileName: "next.tar" });
    expect((await listUnverifiedImages(node)).map((row) => row.id)).toEqual([diId]);
    expect((await listImageIds(node)).size).toBe(3);
  });
});
