/** One wish for one desktop, written only while the desktop is as it was when the wish was allowed. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";
import { vms } from "../../src/db/schema/index.ts";
import type { VmId } from "../../src/domain/ids.ts";
import { isAppError } from "../../src/lib/errors.ts";
import { waitFor } from "../../src/lib/wait.ts";
import type { Context } from "../../src/service/context.ts";
import { wishVmRunning } from "../../src/service/vm/wish-running.ts";
import { wishVmStopped } from "../../src/service/vm/wish-stopped.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { type Seed, seedSite } from "../support/db-seed.ts";

let database: TestDatabase;
let owner: Db;
let admin: Context;
let seed: Seed;
let vmId: VmId;
let count = 0;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = database.open("qvd_owner").orm;
}, 120_000);
afterAll(() => database.drop());
beforeEach(async () => {
  seed = await seedSite(owner, { tenant: `tenant${++count}` });
  const db = database.open("qvd_admin", { max: 8 }).orm;
  admin = { db, actor: seed.tenantAdministrator, origin: "console" };
  vmId = seed.alice.vmId;
});

const readVm = async () => (await owner.select().from(vms).where(eq(vms.id, vmId)))[0];
/** Audit rows and lines of the trail, as one text each. */
const written = async () => {
  const rows = await owner.execute<{ line: string }>(sql`
    select concat_ws(' ', action, actor, origin, tenant_id, subject_name) as line from audit_log
      where subject_kind = 'vm' and subject_id = ${vmId} and action like 'vm.wish%'
    union all select concat_ws(' ', code, actor, wish_generation, text, detail) from vm_events where vm_id = ${vmId} and code = 'wish-recorded'`);
  return rows.map(({ line }) => line);
};

/** Runs `act` while somebody else's `change` of the desktop is not committed yet; it is once `act` waits for it. */
async function whileChanging<T>(change: ReturnType<typeof sql>, act: () => Promise<T>): Promise<T> {
  let acting: Promise<T> | undefined;
  await owner.transaction(async (tx) => {
    await tx.execute(sql`update vms set ${change} where id = ${vmId}`);
    acting = act();
    // Awaited below, once the other change is through.
    acting.catch(() => {});
    const isWaiting = async () =>
      (await tx.execute(sql`select from pg_locks where not granted and locktype = 'transactionid'`)).length >
      0;
    if (!(await waitFor(isWaiting, { timeoutMs: 10_000 }))) throw new Error("nobody waits");
  });
  if (acting === undefined) throw new Error("nothing was done");
  return await acting;
}

describe("a wish for one desktop", () => {
  test("is written with its audit row and its line of the trail", async () => {
    expect(await wishVmRunning(admin, { vmId })).toEqual({ generation: 1, isNew: true });
    expect(await readVm()).toMatchObject({ wish: "running", wishGeneration: 1 });
    const actor = `administrator:admin@tenant${count}`;
    expect(await written()).toEqual([
      `vm.wish-running ${actor} console ${seed.tenantId} ${(await readVm())?.name}`,
      `wish-recorded ${actor} 1 Asked to start. {"wish": "running"}`,
    ]);
  });

  test("asked for by ten at once is one wish", async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => wishVmRunning(admin, { vmId })));
    expect(answers.filter(({ isNew }) => isNew)).toEqual([{ generation: 1, isNew: true }]);
    expect(answers.every(({ generation }) => generation <= 1)).toBe(true);
    expect(await written()).toHaveLength(2);
  });

  test("is refused by a block that comes in between, and leaves nothing", async () => {
    const attempt = whileChanging(sql`is_blocked = true`, () => wishVmRunning(admin, { vmId }));
    const error = await attempt.catch((caught) => caught);
    expect(isAppError(error) && error.code).toBe("blocked");
    expect(await readVm()).toMatchObject({ wish: "stopped", wishGeneration: 0 });
    expect(await written()).toEqual([]);
  });

  test("follows another wish that comes in between", async () => {
    await wishVmRunning(admin, { vmId });
    const other = sql`wish_generation = wish_generation + 1`;
    expect(await whileChanging(other, () => wishVmStopped(admin, { vmId }))).toEqual({
      ...{ generation: 3, isNew: true },
    });
    expect(await readVm()).toMatchObject({ wish: "stopped", wishGeneration: 3 });
  });

  test("of an asker who saw an older one changes nothing", async () => {
    await wishVmRunning(admin, { vmId });
    expect(await wishVmStopped(admin, { vmId, generation: 0 })).toEqual({ generation: 1, isNew: false });
    expect(await readVm()).toMatchObject({ wish: "running" });
  });

  test("stands and falls with the transaction that it is part of", async () => {
    const attempt = admin.db.transaction(async (tx) => {
      await wishVmRunning({ ...admin, db: tx }, { vmId });
      throw new Error("thought better of it");
    });
    await expect(attempt).rejects.toThrow("thought better of it");
    expect(await readVm()).toMatchObject({ wish: "stopped", wishGeneration: 0 });
    expect(await written()).toEqual([]);
  });
});
