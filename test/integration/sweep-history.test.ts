/** What happened long ago is forgotten, by the node's role and by the settings alone. */

import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import type { Db } from "../../src/db/client.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { keepSweepingHistory, SWEEP_HISTORY_PACE, sweepHistory } from "../../src/node/sweep-history.ts";
import { setSetting } from "../../src/service/setting/set.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { type Seed, seedSite } from "../support/db-seed.ts";

let database: TestDatabase;
let owner: ReturnType<TestDatabase["open"]>["sql"];
let node: Db;
let seed: Seed;
beforeAll(async () => {
  database = await createTestDatabase();
  const opened = database.open("qvd_owner");
  owner = opened.sql;
  node = database.open("qvd_node").orm;
  seed = await seedSite(opened.orm);
}, 120_000);
afterAll(() => database.drop());
beforeEach(async () => {
  await owner`delete from settings`;
  await owner`truncate sessions, visits, vm_events, audit_log`;
});

const pace = { ...SWEEP_HISTORY_PACE, pauseMs: 0 };
const sweep = (more: Partial<typeof pace> = {}) =>
  sweepHistory(node, new AbortController().signal, { ...pace, ...more });

/** One of each, so many days ago. */
async function add(days: number): Promise<void> {
  const { vmId, userId } = seed.alice;
  await owner`insert into sessions (vm_id, user_id, client, slave_key, broker_worker, requested_at, ended_at)
    values (${vmId}, ${userId}, '{}', 'k', 'w', now() - ${days} * interval '1 day', now() - ${days} * interval '1 day')`;
  await owner`insert into vm_events (vm_id, at, code, text) values (${vmId}, now() - ${days} * interval '1 day', 'x', 'x')`;
  await owner`insert into audit_log (at, actor, action, subject_kind)
    values (now() - ${days} * interval '1 day', 'x', 'x', 'x')`;
}
const count = async () => {
  const [row] = await owner`select (select count(*)::int from sessions) as sessions,
    (select count(*)::int from vm_events) as trail, (select count(*)::int from audit_log) as audit`;
  return [row?.sessions, row?.trail, row?.audit];
};
const set = (name: string, days: number) =>
  owner`insert into settings (name, value) values (${name}, to_jsonb(${days}::int))`;

test("after 400 days, where nothing else is set", async () => {
  for (const days of [500, 401, 399, 1]) await add(days);
  expect(await sweep()).toBe(6);
  expect(await count()).toEqual([2, 2, 2]);
  expect(await sweep()).toBe(0);
});

test("after as many days as each setting says", async () => {
  for (const days of [100, 50, 20, 1]) await add(days);
  await set("history.sessions.days", 10);
  await set("history.trail.days", 30);
  await set("history.audit.days", 60);
  await sweep();
  expect(await count()).toEqual([1, 2, 3]);
});

test("never within a week, whatever the database says", async () => {
  for (const days of [8, 6]) await add(days);
  for (const name of ["sessions", "trail", "audit"]) await set(`history.${name}.days`, 0);
  await sweep();
  expect(await count()).toEqual([1, 1, 1]);
});

test("not sooner for a role that turns its clock on", async () => {
  await add(399);
  await node.transaction(async (tx) => {
    await tx.execute("set local qvd.now = '2099-01-01'");
    await tx.execute("select qvd_sweep_history(1000)");
  });
  expect(await count()).toEqual([1, 1, 1]);
});

test("visits that are over a day after, and those whose end nobody wrote after thirty", async () => {
  const { vmId } = seed.alice;
  const ago = (days: number | null) => owner`now() - ${days}::float8 * interval '1 day'`;
  type Days = number | null;
  const visit = async (name: string, [asked, expires, began, ended]: readonly [number, number, Days, Days]) =>
    await owner`insert into visits
      (kind, console_key, vm_id, asked_by, may_control, needs_consent, asked_at, ticket_expires_at, began_at, ended_at)
      values ('console', 'k', ${vmId}, ${name}, true, false, ${ago(asked)}, ${ago(expires)}, ${ago(began)}, ${ago(ended)})`;
  await visit("over", [3, 3, 3, 2]);
  await visit("over just now", [3, 3, 3, 0.5]);
  await visit("never came", [3, 3, null, null]);
  await visit("may still come", [0.1, -0.1, null, null]);
  await visit("goes on", [20, 20, 20, null]);
  await visit("lost", [31, 31, 31, null]);
  expect(await sweep()).toBe(3);
  const left = await owner`select asked_by from visits order by id`;
  expect(left.map((row) => row.asked_by)).toEqual(["over just now", "may still come", "goes on"]);
});

test("a bounded number a call, and all in the end; a session that goes on stays", async () => {
  for (let index = 0; index < 25; index++) await add(1_000);
  const { vmId, userId } = seed.alice;
  await owner`insert into sessions (vm_id, user_id, client, slave_key, broker_worker, requested_at)
    values (${vmId}, ${userId}, '{}', 'k', 'w', now() - interval '1000 days')`;
  expect(await sweep({ rowsACall: 10, mostCalls: 1 })).toBe(30);
  expect(await count()).toEqual([16, 15, 15]);
  await sweep({ rowsACall: 10 });
  expect(await count()).toEqual([1, 0, 0]);
});

test("by whichever box comes, one at a time, again and again", async () => {
  await add(1_000);
  const ending = new AbortController();
  const often = { ...pace, everyMs: 20 };
  const boxes = [1, 2, 3].map(() =>
    keepSweepingHistory({ db: node, log: silentLog() }, ending.signal, often),
  );
  const isGone = async () => (await count()).every((rows) => rows === 0);
  expect(await waitFor(isGone, { timeoutMs: 15_000, everyMs: 20 })).toBe(true);
  await add(1_000);
  expect(await waitFor(isGone, { timeoutMs: 15_000, everyMs: 20 })).toBe(true);
  ending.abort();
  await Promise.all(boxes);
});

test("the settings are set by administrators, within their bounds", async () => {
  const site = { db: database.open("qvd_admin").orm, actor: seed.siteAdministrator };
  const attempt = setSetting(
    site,
    { sealSecret: async () => ({ sealed: "" }) },
    { name: "history.audit.days", value: "3" },
  );
  expect(
    await attempt.then(
      () => "done",
      (error) => `${error.code}`,
    ),
  ).toBe("bad-input");
});
