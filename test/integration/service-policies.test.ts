/** The verbs by which a node carries out what an OSF says: guarded by the generation, refused to everybody else. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import type { Actor } from "../../src/domain/access/actor.ts";
import { isAppError } from "../../src/lib/errors.ts";
import { blockVm } from "../../src/service/vm/block.ts";
import { clearVmExpiry } from "../../src/service/vm/clear-expiry.ts";
import { unblockVm } from "../../src/service/vm/unblock.ts";
import { wishVmStoppedByPolicy } from "../../src/service/vm/wish-stopped-by-policy.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { type Seed, seedSite } from "../support/db-seed.ts";

const NODE: Actor = { kind: "node", name: "box" };
let database: TestDatabase;
let seed: Seed;
let count = 0;
beforeAll(async () => {
  database = await createTestDatabase();
}, 120_000);
afterAll(() => database.drop());
beforeEach(async () => {
  seed = await seedSite(database.open("qvd_owner").orm, { tenant: `policies${++count}` });
  await owner(sql`update vms set wish = 'running', wish_generation = 5, wished_by = 'user:alice@x'
    where id = ${seed.alice.vmId}`);
});

const owner = (statement: ReturnType<typeof sql>) => database.open("qvd_owner").orm.execute(statement);
const as = (actor: Actor) => ({ db: database.open("qvd_node").orm, actor });
const row = async () => (await owner(sql`select * from vms where id = ${seed.alice.vmId}`))[0];
const refusal = (attempt: Promise<unknown>) =>
  attempt.then(
    () => "done",
    (error) => (isAppError(error) ? error.code : `${error}`),
  );
const stop = (actor: Actor, more: { generation?: number; cause?: "idle" | "expired" | "crashed" } = {}) =>
  wishVmStoppedByPolicy(as(actor), {
    ...{ vmId: seed.alice.vmId, generation: 5, cause: "idle", text: "Nobody is here." },
    ...more,
  });

describe("a stop by policy", () => {
  test("is a wish of its own, in the policy's name, with trail and audit", async () => {
    expect(await stop(NODE)).toEqual({ generation: 6, isNew: true });
    expect(await row()).toMatchObject({ wish: "stopped", wished_by: "system:idle", wish_generation: "6" });
    const [event] = await owner(sql`select code, text, actor from vm_events where vm_id = ${seed.alice.vmId}
      order by id desc limit 1`);
    expect(event).toEqual({ code: "wish-recorded", text: "Nobody is here.", actor: "system:idle" });
    const [audit] = await owner(sql`select action, actor, detail from audit_log order by id desc limit 1`);
    expect(audit).toMatchObject({
      action: "vm.wish-stopped-by-policy",
      actor: "node:box",
      detail: { cause: "idle" },
    });
  });

  test("gives way to any wish made since", async () => {
    expect(await stop(NODE, { generation: 4 })).toEqual({ generation: 5, isNew: false });
    expect(await row()).toMatchObject({ wish: "running", wish_generation: "5" });
  });

  test("leaves an idle desktop to whoever has just come back, and an expired one not", async () => {
    await owner(sql`insert into sessions (vm_id, user_id, client, slave_key, broker_worker)
      values (${seed.alice.vmId}, ${seed.alice.userId}, '{}', ${"k".repeat(64)}, 'broker-1')`);
    expect((await stop(NODE)).isNew).toBe(false);
    expect((await stop(NODE, { cause: "expired" })).isNew).toBe(true);
  });

  test("says nothing twice", async () => {
    await stop(NODE);
    expect((await stop(NODE, { generation: 6 })).isNew).toBe(false);
  });

  test("is nobody's but the node's", async () => {
    for (const actor of [seed.aliceActor, seed.bobActor, seed.siteAdministrator, seed.tenantAdministrator])
      expect([actor.kind, await refusal(stop(actor))]).toEqual([actor.kind, "forbidden"]);
    expect(await refusal(stop({ kind: "vm", vmId: seed.alice.vmId }))).toBe("forbidden");
    expect(await row()).toMatchObject({ wish: "running" });
  });
});

describe("the expiry of a desktop", () => {
  const clear = (actor: Actor) => clearVmExpiry(as(actor), { vmId: seed.alice.vmId });

  test("is cleared by its node, once; a second time is no change to audit", async () => {
    await owner(
      sql`update vms set expires_soft_at = now(), expires_hard_at = now() where id = ${seed.alice.vmId}`,
    );
    await clear(NODE);
    expect(await row()).toMatchObject({ expires_soft_at: null, expires_hard_at: null });
    const audits = () => owner(sql`select from audit_log where action = 'vm.clear-expiry'`);
    const before = (await audits()).length;
    await clear(NODE);
    expect((await audits()).length).toBe(before);
  });

  test("is not cleared by people or desktops", async () => {
    for (const actor of [
      seed.aliceActor,
      seed.siteAdministrator,
      { kind: "vm", vmId: seed.alice.vmId } as const,
    ])
      expect(await refusal(clear(actor))).toBe("forbidden");
  });
});

describe("a block by the node", () => {
  test("has its reason, and a person lifts it", async () => {
    await blockVm(as(NODE), { vmId: seed.alice.vmId, reason: "it failed 9 times in a row" });
    expect(await row()).toMatchObject({ is_blocked: true, blocked_reason: "it failed 9 times in a row" });
    expect(await refusal(unblockVm(as(NODE), { vmId: seed.alice.vmId }))).toBe("forbidden");
    const admin = { db: database.open("qvd_admin").orm, actor: seed.tenantAdministrator };
    await unblockVm(admin, { vmId: seed.alice.vmId });
    expect(await row()).toMatchObject({ is_blocked: false, blocked_reason: null });
  });

  test("is refused to the desktop and its owner", async () => {
    for (const actor of [seed.aliceActor, { kind: "vm", vmId: seed.alice.vmId } as const])
      expect(await refusal(blockVm(as(actor), { vmId: seed.alice.vmId }))).toBe("forbidden");
  });
});
