/** What comes between the reading and the writing of a request for a session. */

import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { and, eq, sql } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";
import { auditLog, sessions, vmEvents, vms } from "../../src/db/schema/index.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { readAskedVm, recordRequest } from "../../src/service/session/record-request.ts";
import { requestSession } from "../../src/service/session/request.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { type Seed, seedSite } from "../support/db-seed.ts";

const CLIENT = { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "1024x768", isFullscreen: false };

let database: TestDatabase;
let owner: Db;
let broker: Db;
let seed: Seed;
let count = 0;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = database.open("qvd_owner").orm;
  broker = database.open("qvd_broker", { max: 4 }).orm;
}, 120_000);
afterAll(() => database.drop());
beforeEach(async () => {
  seed = await seedSite(owner, { tenant: `tenant${++count}` });
});

const asked = () => ({ vmId: seed.alice.vmId, client: CLIENT, slaveKey: "k", brokerWorker: "w" });
const inFull = { text: "asked", isNewWish: true, access: "nx", parameters: {} } as const;
const context = () => ({ db: broker, actor: seed.aliceActor });
const countRows = async () => [
  await owner.$count(sessions, eq(sessions.vmId, seed.alice.vmId)),
  await owner.$count(vmEvents, eq(vmEvents.vmId, seed.alice.vmId)),
  await owner.$count(
    auditLog,
    and(eq(auditLog.subjectId, seed.alice.vmId), eq(auditLog.action, "session.request")),
  ),
];

test.each([
  ["another wish", sql`wish_generation = wish_generation + 1`],
  ["a block", sql`is_blocked = true`],
  ["its deletion", sql`deleted_at = qvd_now()`],
])("%s that comes first is seen, and nothing is written", async (_what, change) => {
  const { vmId } = seed.alice;
  const vm = await readAskedVm(broker, vmId);
  if (vm === undefined) throw new Error("the desktop is there");
  await owner.execute(sql`update ${vms} set ${change} where id = ${vmId}`);
  expect(await recordRequest(context(), vm, { ...asked(), ...inFull })).toBeUndefined();
  expect(await countRows()).toEqual([0, 0, 0]);
});

test("a session that is being begun by another is taken over from, by the slower way", async () => {
  const { vmId } = seed.alice;
  const other = Promise.withResolvers<void>();
  const isLocked = Promise.withResolvers<void>();
  // As another request does it: the row is taken, then comes the session; it is seen by nobody yet.
  const first = owner.transaction(async (tx) => {
    await tx.execute(sql`select 1 from ${vms} where id = ${vmId} for update`);
    await tx.insert(sessions).values({ ...asked(), userId: seed.alice.userId });
    isLocked.resolve();
    await other.promise;
  });
  await isLocked.promise;
  const second = requestSession(context(), asked());
  const isWaiting = async () => {
    const rows = await owner.execute(sql`select 1 from pg_locks join pg_stat_activity using (pid)
      where not granted and datname = current_database()`);
    return rows.length > 0;
  };
  expect(await waitFor(isWaiting, { timeoutMs: 10_000, everyMs: 5 })).toBe(true);
  other.resolve();
  await first;
  const { supersededId, isStarting } = await second;
  expect(supersededId).toBeNumber();
  expect(isStarting).toBe(true);
  const rows = await owner.select().from(sessions).where(eq(sessions.vmId, vmId));
  expect(rows.filter((row) => row.supersededAt === null)).toHaveLength(1);
});
