/** One wish for many desktops: one transaction, each desktop for itself. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { eq, inArray, sql } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";
import { auditLog, vmEvents, vmReports, vms } from "../../src/db/schema/index.ts";
import { asId, type VmId } from "../../src/domain/ids.ts";
import type { Context } from "../../src/service/context.ts";
import { blockVm } from "../../src/service/vm/block.ts";
import { createVm } from "../../src/service/vm/create.ts";
import { deleteVm } from "../../src/service/vm/delete.ts";
import { MOST_WISHES, wishVms } from "../../src/service/vm/wish-many.ts";
import { wishVmRunning } from "../../src/service/vm/wish-running.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { SEED_RANGE, type Seed, seedSite } from "../support/db-seed.ts";

const NOBODY = asId<VmId>(987_654);

let database: TestDatabase;
let owner: Db;
let admin: Context;
let seed: Seed;
let three: VmId[];
let count = 0;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = database.open("qvd_owner").orm;
}, 120_000);
afterAll(() => database.drop());
beforeEach(async () => {
  seed = await seedSite(owner, { tenant: `tenant${++count}` });
  admin = {
    ...{ db: database.open("qvd_admin", { max: 8 }).orm, actor: seed.tenantAdministrator, origin: "console" },
  };
  three = [];
  for (const name of ["one", "two", "three"]) {
    const of = { userId: seed.alice.userId, osfId: seed.osfId, name };
    three.push((await createVm(admin, { networkRange: SEED_RANGE }, of)).vmId);
  }
});

const read = (vmIds: readonly VmId[]) =>
  owner
    .select()
    .from(vms)
    .where(inArray(vms.id, [...vmIds]))
    .orderBy(vms.id);
const wishesOf = async (vmIds: readonly VmId[]) =>
  (await read(vmIds)).map(({ wish, wishGeneration }) => `${wish} ${wishGeneration}`);
const auditOf = (vmId: VmId) =>
  owner
    .select()
    .from(auditLog)
    .where(sql`subject_kind = 'vm' and subject_id = ${vmId} and action like 'vm.wish%'`);

describe("a wish for many", () => {
  test("is that of each, with its own generation, audit row and line of the trail", async () => {
    const done = await wishVms(admin, { vmIds: three, wish: "running" });
    expect(done).toEqual({ wished: three, unchanged: [], refused: [] });
    expect(await wishesOf(three)).toEqual(["running 1", "running 1", "running 1"]);
    for (const [index, vmId] of three.entries()) {
      const subjectName = ["one", "two", "three"][index];
      const action = "vm.wish-running";
      const tenantId = seed.tenantId;
      expect(await auditOf(vmId)).toMatchObject([{ action, subjectName, tenantId, origin: "console" }]);
      const trail = await owner.select().from(vmEvents).where(eq(vmEvents.vmId, vmId));
      expect(trail.filter(({ code }) => code === "wish-recorded")).toMatchObject([
        { text: "Asked to start.", wishGeneration: 1, detail: { wish: "running" } },
      ]);
    }
  });

  test("writes what a wish for one writes", async () => {
    const [one, two] = three;
    if (one === undefined || two === undefined) throw new Error("no desktops");
    await wishVmRunning(admin, { vmId: one });
    await wishVms(admin, { vmIds: [two], wish: "running" });
    const shapeOf = async (vmId: VmId) => {
      const [vm] = await read([vmId]);
      const [audit] = await auditOf(vmId);
      const trail = await owner.select().from(vmEvents).where(eq(vmEvents.vmId, vmId));
      const { actor, origin, action, detail } = audit ?? {};
      const events = trail.map((event) => [
        event.code,
        event.text,
        event.wishGeneration,
        event.actor,
        event.detail,
      ]);
      return {
        vm: [vm?.wish, vm?.wishGeneration, vm?.wishedBy],
        audit: [actor, origin, action, detail],
        events,
      };
    };
    expect(await shapeOf(two)).toEqual(await shapeOf(one));
  });

  test("leaves alone what is wished so already, and tries afresh what was given up", async () => {
    const [one, two] = three;
    if (one === undefined || two === undefined) throw new Error("no desktops");
    await wishVms(admin, { vmIds: three, wish: "running" });
    await owner.insert(vmReports).values({ vmId: two, epoch: 1, state: "stopped", generationSeen: 1 });
    expect(await wishVms(admin, { vmIds: [one, two], wish: "running" })).toEqual({
      wished: [two],
      unchanged: [one],
      refused: [],
    });
    expect(await wishesOf([one, two])).toEqual(["running 1", "running 2"]);
    expect(await auditOf(one)).toHaveLength(1);
  });

  test("is refused for each that may not, and done for the others", async () => {
    const [blocked, deleted, good] = three;
    if (blocked === undefined || deleted === undefined || good === undefined) throw new Error("no desktops");
    await blockVm(admin, { vmId: blocked });
    await deleteVm(admin, { vmId: deleted });
    const done = await wishVms(admin, { vmIds: [blocked, deleted, good, NOBODY, good], wish: "running" });
    expect(done.wished).toEqual([good]);
    expect(done.refused.map(({ vmId, code }) => [vmId, code])).toEqual([
      [blocked, "blocked"],
      [deleted, "not-found"],
      [NOBODY, "not-found"],
    ]);
    expect(await wishesOf([blocked])).toEqual(["stopped 0"]);
  });

  test("stops what is blocked", async () => {
    await wishVms(admin, { vmIds: three, wish: "running" });
    for (const vmId of three) await blockVm(admin, { vmId });
    expect((await wishVms(admin, { vmIds: three, wish: "stopped" })).wished).toEqual(three);
  });

  test("for another tenant's desktops finds none", async () => {
    const other = await seedSite(owner, { tenant: `other${count}` });
    const theirs = { ...admin, actor: other.tenantAdministrator };
    await expect(wishVms(theirs, { vmIds: three, wish: "running" })).rejects.toMatchObject({
      code: "not-found",
    });
    const mixed = await wishVms(theirs, { vmIds: [...three, other.alice.vmId], wish: "running" });
    expect(mixed.wished).toEqual([other.alice.vmId]);
    expect(await wishesOf(three)).toEqual(["stopped 0", "stopped 0", "stopped 0"]);
  });

  test("for too many, or none, says so or does nothing", async () => {
    const many = Array.from({ length: MOST_WISHES + 1 }, (_, index) => asId<VmId>(index + 1));
    await expect(wishVms(admin, { vmIds: many, wish: "running" })).rejects.toMatchObject({
      code: "bad-input",
    });
    expect((await wishVms(admin, { vmIds: [], wish: "running" })).wished).toEqual([]);
  });

  test("of two at once in opposite order both are written", async () => {
    const back = [...three].reverse();
    await Promise.all([
      wishVms(admin, { vmIds: three, wish: "running" }),
      wishVms(admin, { vmIds: back, wish: "running" }),
    ]);
    expect(await wishesOf(three)).toEqual(["running 1", "running 1", "running 1"]);
  });
});
