/** How many may be invited to a session, that the visits of one hide none of another's, and what no broker can change. */

import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import type { Database } from "../../src/db/client.ts";
import { listOpenVisits } from "../../src/db/queries/visits.ts";
import type { SessionId, VisitId } from "../../src/domain/ids.ts";
import type { Context } from "../../src/service/context.ts";
import { endVisit } from "../../src/service/visit/end-visit.ts";
import { inviteVisitor } from "../../src/service/visit/invite.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { type Seed, seedSite } from "../support/db-seed.ts";

const RANDOM = { randomToken: () => crypto.randomUUID() };

let database: TestDatabase;
let owner: Database["sql"];
let seed: Seed;
let asAlice: Context;
let alices: SessionId;
let bobs: SessionId;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = database.open("qvd_owner").sql;
  seed = await seedSite(database.open("qvd_owner").orm);
  asAlice = { db: database.open("qvd_broker").orm, actor: seed.aliceActor };
}, 120_000);
afterAll(() => database.drop());
beforeEach(async () => {
  await owner`truncate sessions, visits`;
  alices = await sitDown(seed.alice);
  bobs = await sitDown(seed.bob);
});

async function sitDown({ vmId, userId }: Seed["alice"]): Promise<SessionId> {
  const [row] =
    await owner`insert into sessions (vm_id, user_id, client, slave_key, broker_worker, access, state, connected_at)
    values (${vmId}, ${userId}, '{}', 'k', 'w', 'browser', 'listening', qvd_now()) returning id`;
  return Number(row?.id) as SessionId;
}

const invite = async (): Promise<VisitId> =>
  (await inviteVisitor(asAlice, RANDOM, { vmId: seed.alice.vmId })).visitId;

async function inviteAll(): Promise<VisitId> {
  for (let i = 0; i < 7; i++) await invite();
  return await invite();
}

const REFUSED = { code: "conflict", message: expect.stringContaining("or wait until a link has expired") };

test("the ninth person is not invited, whether the others came or not", async () => {
  await inviteAll();
  await expect(invite()).rejects.toMatchObject(REFUSED);
  await owner`update visits set began_at = qvd_now(), ticket_hash = null`;
  await expect(invite()).rejects.toMatchObject(REFUSED);
});

test("who has left makes room, and so does a link that nobody took in time", async () => {
  const last = await inviteAll();
  await endVisit(asAlice, { visitId: last, cause: "sent-away" });
  const next = await invite();
  await expect(invite()).rejects.toMatchObject(REFUSED);
  await owner`update visits set ticket_expires_at = qvd_now() where id = ${next}`;
  await invite();
});

test("who watches by an administrator's right takes nobody's place", async () => {
  await addVisits(alices, { many: 8, askedBy: "administrator:maria@*", hasBegun: true });
  await inviteAll();
});

async function addVisits(
  sessionId: SessionId,
  of: { readonly many: number; readonly askedBy: string; readonly hasBegun: boolean },
): Promise<void> {
  await owner`insert into visits (kind, vm_id, session_id, asked_by, may_control, needs_consent, ticket_expires_at, began_at)
    select 'watch', vm_id, id, ${of.askedBy}, false, true, qvd_now() + interval '1 minute',
      case when ${of.hasBegun} then qvd_now() end
    from sessions, generate_series(1, ${of.many}) where id = ${sessionId}`;
}

test("many invitations hide neither who asks there nor who asks somewhere else", async () => {
  await addVisits(alices, { many: 300, askedBy: "user:alice", hasBegun: false });
  await addVisits(alices, { many: 1, askedBy: "administrator:maria@*", hasBegun: true });
  await addVisits(alices, { many: 1, askedBy: "administrator:otto@*", hasBegun: false });
  await addVisits(bobs, { many: 1, askedBy: "administrator:maria@*", hasBegun: true });
  const shown = await listOpenVisits(asAlice.db, [alices, bobs]);
  expect(shown.filter(({ phase }) => phase === "asks").map(({ sessionId }) => sessionId)).toEqual([
    alices,
    bobs,
  ]);
  expect(shown).toHaveLength(51);
});

test("no visit begins late or twice, nor changes once it is over, whoever tries", async () => {
  const id = await invite();
  await owner`update visits set ticket_expires_at = qvd_now() where id = ${id}`;
  await expect(owner`update visits set began_at = qvd_now() where id = ${id}`.execute()).rejects.toThrow(
    "can't begin",
  );
  const backThen = owner.begin(async (one) => {
    await one`select set_config('qvd.now', '2020-01-01', true)`;
    await one`update visits set began_at = qvd_now() where id = ${id}`;
  });
  await expect(backThen).rejects.toThrow("can't begin");
  await owner`update visits set ticket_expires_at = qvd_now() + interval '1 minute' where id = ${id}`;
  await owner`update visits set began_at = qvd_now() where id = ${id}`;
  await expect(owner`update visits set began_at = null where id = ${id}`.execute()).rejects.toThrow(
    "can't begin",
  );
  await endVisit(asAlice, { visitId: id, cause: "left" });
  const broker = database.open("qvd_broker").sql;
  await expect(broker`update visits set ended_at = null where id = ${id}`.execute()).rejects.toThrow(
    "is over",
  );
  expect([...(await owner`select ticket_hash from visits where id = ${id}`)]).toEqual([
    { ticket_hash: null },
  ]);
});
