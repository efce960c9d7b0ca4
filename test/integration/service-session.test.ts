import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { asc, desc, eq } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";
import { auditLog, sessions, users, vmEvents, vmReports, vms } from "../../src/db/schema/index.ts";
import type { UserActor } from "../../src/domain/access/actor.ts";
import { isAppError } from "../../src/lib/errors.ts";
import type { Context } from "../../src/service/context.ts";
import { requestSession } from "../../src/service/session/request.ts";
import { wishSessionEnd } from "../../src/service/session/wish-end.ts";
import { blockUser } from "../../src/service/user/block.ts";
import { blockVm } from "../../src/service/vm/block.ts";
import { wishVmStopped } from "../../src/service/vm/wish-stopped.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { type Seed, seedSite } from "../support/db-seed.ts";

const CLIENT = { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "1024x768", isFullscreen: false };

let database: TestDatabase;
let owner: Db;
let broker: Db;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = database.open("qvd_owner").orm;
  broker = database.open("qvd_broker", { max: 10 }).orm;
}, 120_000);
afterAll(() => database.drop());

let seed: Seed;
let count = 0;
beforeEach(async () => {
  seed = await seedSite(owner, { tenant: `tenant${++count}` });
});

const as = (actor: UserActor): Context => ({ db: broker, actor, origin: "198.51.100.7" });
const request = (actor: UserActor, vmId: number, worker = "w1") =>
  requestSession(as(actor), { vmId, client: CLIENT, slaveKey: "k".repeat(64), brokerWorker: worker });
const code = (attempt: Promise<unknown>) =>
  attempt.then(
    () => "done",
    (error) => (isAppError(error) ? error.code : String(error)),
  );
const codesOf = async (vmId: Seed["alice"]["vmId"]) =>
  (await owner.select().from(vmEvents).where(eq(vmEvents.vmId, vmId)).orderBy(asc(vmEvents.id))).map(
    (event) => event.code,
  );

describe("asking for a session", () => {
  test("records the sitting, the wish, the trail and who asked, as the broker's role", async () => {
    const { vmId } = seed.alice;
    const requested = await request(seed.aliceActor, vmId);
    expect(requested).toMatchObject({ wishGeneration: 1, isStarting: true, supersededId: undefined });
    const [session] = await owner.select().from(sessions).where(eq(sessions.id, requested.sessionId));
    expect(session).toMatchObject({
      state: "requested",
      userId: seed.alice.userId,
      client: CLIENT,
      endedAt: null,
    });
    const [vm] = await owner.select().from(vms).where(eq(vms.id, vmId));
    expect(vm).toMatchObject({
      wish: "running",
      wishGeneration: 1,
      wishedBy: `user:alice@${seed.aliceActor.tenantName}`,
    });
    expect(await codesOf(vmId)).toEqual(["session-requested", "wish-recorded"]);
    const [audit] = await owner
      .select()
      .from(auditLog)
      .where(eq(auditLog.action, "session.request"))
      .orderBy(desc(auditLog.id));
    expect(audit).toMatchObject({ subjectId: vmId, origin: "198.51.100.7", tenantId: seed.tenantId });
  });

  test("of a desktop on its way up wishes nothing new", async () => {
    await request(seed.aliceActor, seed.alice.vmId);
    const again = await request(seed.aliceActor, seed.alice.vmId);
    expect(again).toMatchObject({ wishGeneration: 1, isStarting: false });
  });

  test("of a desktop that was given up makes a new generation", async () => {
    const { vmId } = seed.alice;
    await request(seed.aliceActor, vmId);
    await owner.insert(vmReports).values({ vmId, epoch: 1, state: "stopped", generationSeen: 1, tries: 3 });
    expect(await request(seed.aliceActor, vmId)).toMatchObject({ wishGeneration: 2, isStarting: true });
  });

  test("takes over from the older sitting", async () => {
    const { vmId } = seed.alice;
    const first = await request(seed.aliceActor, vmId);
    const second = await request(seed.aliceActor, vmId);
    expect(second.supersededId).toBe(first.sessionId);
    const rows = await owner.select().from(sessions).where(eq(sessions.vmId, vmId)).orderBy(asc(sessions.id));
    expect(rows.map((row) => row.supersededAt === null)).toEqual([false, true]);
    expect(await codesOf(vmId)).toContain("session-superseded");
  });

  test("twenty at once leave one sitting live, and each other superseded once", async () => {
    const { vmId } = seed.alice;
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, index) => request(seed.aliceActor, vmId, `w${index}`)),
    );
    const rows = await owner.select().from(sessions).where(eq(sessions.vmId, vmId));
    expect(rows.filter((row) => row.supersededAt === null)).toHaveLength(1);
    expect(new Set(all.map((one) => one.supersededId)).size).toBe(20);
    const [vm] = await owner.select().from(vms).where(eq(vms.id, vmId));
    expect(vm?.wishGeneration).toBe(1);
  });
});

describe("a session is refused", () => {
  const untouched = async (vmId: Seed["alice"]["vmId"]) => {
    expect(await owner.$count(sessions, eq(sessions.vmId, vmId))).toBe(0);
    expect(await codesOf(vmId)).toEqual([]);
    const [vm] = await owner.select().from(vms).where(eq(vms.id, vmId));
    expect(vm?.wish).toBe("stopped");
  };

  test("at somebody else's desktop, with QVD's words and without any effect", async () => {
    const attempt = request(seed.bobActor, seed.alice.vmId);
    await expect(attempt).rejects.toThrow("You are not allowed to access requested virtual machine");
    expect(await code(request(seed.bobActor, seed.alice.vmId))).toBe("forbidden");
    await untouched(seed.alice.vmId);
  });

  test("at a blocked desktop", async () => {
    const { vmId } = seed.alice;
    await blockVm({ db: owner, actor: seed.siteAdministrator }, { vmId, reason: "repair" });
    expect(await code(request(seed.aliceActor, vmId))).toBe("blocked");
    await untouched(vmId);
  });

  test("at a blocked desktop of somebody else, as any of theirs", async () => {
    const { vmId } = seed.alice;
    await blockVm({ db: owner, actor: seed.siteAdministrator }, { vmId });
    expect(await code(request(seed.bobActor, vmId))).toBe("forbidden");
  });

  test("to a user who was blocked after signing in", async () => {
    await blockUser({ db: owner, actor: seed.siteAdministrator }, { userId: seed.alice.userId });
    expect(await code(request(seed.aliceActor, seed.alice.vmId))).toBe("forbidden");
    await untouched(seed.alice.vmId);
    await owner.update(users).set({ isBlocked: false }).where(eq(users.id, seed.alice.userId));
  });

  test("at a desktop that doesn't exist or is being deleted", async () => {
    expect(await code(request(seed.aliceActor, 2 ** 31 - 1))).toBe("not-found");
    await owner.update(vms).set({ deletedAt: new Date() }).where(eq(vms.id, seed.alice.vmId));
    expect(await code(request(seed.aliceActor, seed.alice.vmId))).toBe("not-found");
  });

  test.each([0, -1, 1.5, 2 ** 31, Number.NaN])("for the id %p", async (vmId) => {
    expect(await code(request(seed.aliceActor, vmId))).toBe("bad-input");
  });
});

describe("wishing a sitting's end", () => {
  test("marks the live one, once", async () => {
    const { vmId } = seed.alice;
    const { sessionId } = await request(seed.aliceActor, vmId);
    const administrator: Context = { db: owner, actor: seed.tenantAdministrator };
    expect(await wishSessionEnd(administrator, { vmId })).toEqual({ sessionId });
    expect(await wishSessionEnd(administrator, { vmId })).toBeUndefined();
    const [row] = await owner.select().from(sessions).where(eq(sessions.id, sessionId));
    expect(row?.endWishedBy).toBe(`administrator:admin@${seed.aliceActor.tenantName}`);
  });
});

describe("stopping as the broker does it", () => {
  test("is for one's own desktop", async () => {
    await request(seed.aliceActor, seed.alice.vmId);
    expect(await code(wishVmStopped(as(seed.bobActor), { vmId: seed.alice.vmId }))).toBe("forbidden");
    expect(await wishVmStopped(as(seed.aliceActor), { vmId: seed.alice.vmId })).toEqual({
      generation: 2,
      isNew: true,
    });
    expect(await wishVmStopped(as(seed.aliceActor), { vmId: seed.alice.vmId })).toEqual({
      generation: 2,
      isNew: false,
    });
  });

  test("a power-off announced late doesn't undo a newer wish", async () => {
    const { vmId } = seed.alice;
    await request(seed.aliceActor, vmId);
    const node = database.open("qvd_node").orm;
    const inside: Context = { db: node, actor: { kind: "vm", vmId } };
    expect(await wishVmStopped(inside, { vmId, generation: 0 })).toEqual({ generation: 1, isNew: false });
    expect(await wishVmStopped(inside, { vmId, generation: 1 })).toEqual({ generation: 2, isNew: true });
    const other: Context = { db: node, actor: { kind: "vm", vmId: seed.bob.vmId } };
    expect(await code(wishVmStopped(other, { vmId }))).toBe("forbidden");
  });
});
