import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { desc, eq, sql } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";
import { auditLog, vmEvents, vmReports, vms } from "../../src/db/schema/index.ts";
import type { VmId } from "../../src/domain/ids.ts";
import type { VmState } from "../../src/domain/vm/state.ts";
import { isAppError } from "../../src/lib/errors.ts";
import type { Context } from "../../src/service/context.ts";
import { fieldErrors } from "../../src/service/input.ts";
import { blockVm } from "../../src/service/vm/block.ts";
import { changeVm } from "../../src/service/vm/change.ts";
import { createVm } from "../../src/service/vm/create.ts";
import { deleteVm } from "../../src/service/vm/delete.ts";
import { placeVm } from "../../src/service/vm/place.ts";
import { purgeVm } from "../../src/service/vm/purge.ts";
import { wishVmRunning } from "../../src/service/vm/wish-running.ts";
import { wishVmStopped } from "../../src/service/vm/wish-stopped.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { SEED_RANGE, type Seed, seedSite } from "../support/db-seed.ts";

const DEPS = { networkRange: SEED_RANGE };

let database: TestDatabase;
let owner: Db;
let admin: Context;
let seed: Seed;
let count = 0;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = database.open("qvd_owner").orm;
}, 120_000);
afterAll(() => database.drop());
beforeEach(async () => {
  seed = await seedSite(owner, { tenant: `tenant${++count}` });
  admin = {
    db: database.open("qvd_admin", { max: 8 }).orm,
    actor: seed.tenantAdministrator,
    origin: "console",
  };
});

const caught = (attempt: Promise<unknown>) =>
  attempt.then(
    () => undefined,
    (error) => error,
  );
const codeOf = async (attempt: Promise<unknown>) => {
  const error = await caught(attempt);
  return isAppError(error) ? error.code : error;
};
const readVm = async (vmId: VmId) => (await owner.select().from(vms).where(eq(vms.id, vmId)))[0];
const report = (vmId: VmId, state: VmState, generationSeen = 0) =>
  owner
    .insert(vmReports)
    .values({ vmId, epoch: 1, state, generationSeen })
    .onConflictDoUpdate({ target: vmReports.vmId, set: { state, generationSeen } });
const make = (name: string) => createVm(admin, DEPS, { userId: seed.alice.userId, osfId: seed.osfId, name });

describe("a new desktop", () => {
  test("gets an address and a range of ids that nobody has, and is on record", async () => {
    const { vmId, address } = await make("new");
    const vm = await readVm(vmId);
    expect(vm).toMatchObject({ address, diTag: "default", wish: "stopped", nodeId: null });
    const [audit] = await owner
      .select()
      .from(auditLog)
      .where(eq(auditLog.subjectId, vmId))
      .orderBy(desc(auditLog.id));
    expect(audit).toMatchObject({
      action: "vm.create",
      actor: `administrator:admin@tenant${count}`,
      origin: "console",
      subjectName: "new",
    });
  });

  test("made at the same time as eleven others has its own", async () => {
    const made = await Promise.all(Array.from({ length: 12 }, (_, index) => make(`many-${index}`)));
    const rows = await owner.select().from(vms);
    expect(new Set(rows.map((row) => row.address)).size).toBe(rows.length);
    expect(new Set(rows.map((row) => row.idSlot)).size).toBe(rows.length);
    expect(new Set(made.map((one) => one.vmId)).size).toBe(12);
  });

  test("takes what a purged one left", async () => {
    const { vmId, address } = await make("old");
    const before = await readVm(vmId);
    await deleteVm(admin, { vmId });
    const node: Context = { db: database.open("qvd_node").orm, actor: { kind: "node", name: "n" } };
    await purgeVm(node, { vmId });
    const next = await make("next");
    expect(next.address).toBe(address);
    expect((await readVm(next.vmId))?.idSlot).toBe(before?.idSlot ?? -1);
  });

  test("is refused when the network is full, saying which setting to widen", async () => {
    // Two of the five addresses that a /29 has for desktops are free or not; fill them all.
    const deps = { networkRange: "10.98.0.0/29" };
    const one = (name: string) => createVm(admin, deps, { userId: seed.bob.userId, osfId: seed.osfId, name });
    for (let index = 0; index < 5; index++) await one(`full-${index}`);
    const error = await caught(one("full-5"));
    expect(isAppError(error) && error.code).toBe("conflict");
    expect(String(error)).toContain("QVD_NETWORK_RANGE");
  });

  test.each([
    ["an empty name", { name: " " }, "name"],
    ["a name of 65 characters", { name: "x".repeat(65) }, "name"],
    ["a line break in its name", { name: "a\nb" }, "name"],
    ["a tag that isn't one", { diTag: "no tag" }, "diTag"],
    ["an id that is no number", { userId: "12x" }, "userId"],
    ["an unknown user", { userId: 99999 }, "userId"],
    ["an unknown OSF", { osfId: 99999 }, "osfId"],
  ])("is refused for %s, at that field", async (_, wrong, field) => {
    const site: Context = { ...admin, actor: seed.siteAdministrator };
    const input = { userId: seed.alice.userId, osfId: seed.osfId, name: "right", ...wrong };
    const error = await caught(createVm(site, DEPS, input));
    expect(isAppError(error) && error.code).toBe("bad-input");
    expect(Object.keys(fieldErrors(error))).toEqual([field]);
  });

  test("is refused a name that another has, and an OSF of another tenant", async () => {
    const twice = await caught(make("alice-desktop"));
    expect(fieldErrors(twice)).toEqual({ name: "a desktop alice-desktop exists already in this tenant" });
    const other = await seedSite(owner, { tenant: `other${count}` });
    const mixed = createVm({ ...admin, actor: seed.siteAdministrator }, DEPS, {
      userId: seed.alice.userId,
      osfId: other.osfId,
      name: "mixed",
    });
    expect(fieldErrors(await caught(mixed))).toHaveProperty("osfId");
  });
});

describe("a wish", () => {
  test("is one generation each time it changes, and says who had it", async () => {
    const { vmId } = seed.alice;
    expect(await wishVmRunning(admin, { vmId })).toEqual({ generation: 1, isNew: true });
    expect(await wishVmRunning(admin, { vmId })).toEqual({ generation: 1, isNew: false });
    expect(await wishVmStopped(admin, { vmId })).toEqual({ generation: 2, isNew: true });
    expect(await wishVmStopped(admin, { vmId })).toEqual({ generation: 2, isNew: false });
    const trail = await owner.select().from(vmEvents).where(eq(vmEvents.vmId, vmId)).orderBy(vmEvents.id);
    expect(trail.map((event) => [event.code, event.wishGeneration, event.text])).toEqual([
      ["wish-recorded", 1, "Asked to start."],
      ["wish-recorded", 2, "Asked to stop."],
    ]);
    expect(trail[0]?.actor).toBe(`administrator:admin@tenant${count}`);
  });

  test("to run again after its node gave up is a new one", async () => {
    const { vmId } = seed.alice;
    await wishVmRunning(admin, { vmId });
    await report(vmId, "stopped", 0);
    expect((await wishVmRunning(admin, { vmId })).isNew).toBe(false);
    await report(vmId, "stopped", 1);
    expect(await wishVmRunning(admin, { vmId })).toEqual({ generation: 2, isNew: true });
  });

  test("of many at once is recorded once", async () => {
    const { vmId } = seed.alice;
    const all = await Promise.all(Array.from({ length: 10 }, () => wishVmRunning(admin, { vmId })));
    expect(all.filter((one) => one.isNew)).toHaveLength(1);
    expect((await readVm(vmId))?.wishGeneration).toBe(1);
  });

  test("to run is refused to a blocked desktop, to stop is not", async () => {
    const { vmId } = seed.alice;
    await wishVmRunning(admin, { vmId });
    await blockVm(admin, { vmId, reason: "repair" });
    expect(await readVm(vmId)).toMatchObject({ isBlocked: true, blockedReason: "repair", wish: "running" });
    expect(await codeOf(wishVmRunning(admin, { vmId }))).toBe("blocked");
    expect((await wishVmStopped(admin, { vmId })).isNew).toBe(true);
  });
});

describe("deleting", () => {
  test.each(["starting_1", "running", "stopping_2", "zombie_1"] as const)(
    "is refused while the desktop is %s",
    async (state) => {
      await report(seed.alice.vmId, state);
      expect(await codeOf(deleteVm(admin, { vmId: seed.alice.vmId }))).toBe("conflict");
    },
  );

  test("is refused while it is wished running", async () => {
    await wishVmRunning(admin, { vmId: seed.alice.vmId });
    expect(await codeOf(deleteVm(admin, { vmId: seed.alice.vmId }))).toBe("conflict");
  });

  test("makes it gone for everybody, until its node removes the row", async () => {
    const { vmId } = seed.alice;
    await deleteVm(admin, { vmId });
    expect(await codeOf(deleteVm(admin, { vmId }))).toBe("not-found");
    expect(await codeOf(wishVmRunning(admin, { vmId }))).toBe("not-found");
    expect((await readVm(vmId))?.deletedAt).toBeInstanceOf(Date);
  });
});

describe("changing and placing", () => {
  test("a name and a tag may change, what is for life may not", async () => {
    const { vmId } = seed.alice;
    await changeVm(admin, { vmId, name: "renamed", diTag: "1.0" });
    expect(await readVm(vmId)).toMatchObject({ name: "renamed", diTag: "1.0", address: seed.alice.address });
    expect(await codeOf(changeVm(admin, { vmId, name: "bob-desktop" }))).toBe("conflict");
  });

  test("two nodes that want the same desktop: one gets it", async () => {
    const { vmId } = await make("unplaced");
    const node: Context = { db: database.open("qvd_node").orm, actor: { kind: "node", name: "n" } };
    const both = await Promise.all([1, 2].map(() => placeVm(node, { vmId, nodeId: seed.nodeId })));
    expect(both.filter((one) => one !== undefined)).toEqual([{ epoch: 1 }]);
  });

  test("time comes from the database's clock", async () => {
    await owner.transaction(async (tx) => {
      await tx.execute(sql`select set_config('qvd.now', '2031-05-04 03:02:01+00', true)`);
      await wishVmRunning({ db: tx, actor: seed.siteAdministrator }, { vmId: seed.alice.vmId });
    });
    expect((await readVm(seed.alice.vmId))?.wishedAt?.toISOString()).toBe("2031-05-04T03:02:01.000Z");
  });
});
