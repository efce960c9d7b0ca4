/** What the desktops of one pass have to say, in one statement; each row stands or falls by itself. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type SQL, sql } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import type { Db } from "../../src/db/client.ts";
import { listNodeDesktops } from "../../src/db/queries/node-desktops.ts";
import type { NodeId, VmId } from "../../src/domain/ids.ts";
import { NEVER_REPORTED, type VmReport } from "../../src/domain/vm/facts.ts";
import { isAppError } from "../../src/lib/errors.ts";
import { reportVms } from "../../src/node/report/report-vms.ts";
import { ReportBatch } from "../../src/node/report-batch.ts";
import { NodeDatabase } from "../support/node-database.ts";

const NOW_MS = 500_000;
let rows: NodeDatabase;
let nodeId: NodeId;
let vms: readonly VmId[];

beforeAll(async () => {
  rows = await NodeDatabase.create("10.94.0");
  nodeId = await rows.addNode("box");
  vms = await Promise.all(["one", "two", "three"].map((name) => rows.addVm(name)));
  await rows.owner.execute(sql`update vms set node_id = ${nodeId}, epoch = 1`);
}, 120_000);
afterAll(() => rows.database.drop());

const running: VmReport = { ...NEVER_REPORTED, state: "running", generationSeen: 3, incarnation: 2 };
const writeOf = (vmId: VmId, report: Partial<VmReport> = {}, epoch = 1) => ({
  vmId,
  epoch,
  report: { ...running, ...report },
  events: [
    { code: "agent-connected" as const, text: `First of ${vmId}.` },
    { code: "desktop-running" as const, text: `Second of ${vmId}.`, detail: { vm: vmId } },
  ],
});
const isOurs = (wishMarks: string | undefined) => wishMarks !== undefined;
const by = () => ({ nodeId, nowMs: NOW_MS });

/** Counts what is sent but the telling of statements to the server, and does all of it. */
function counting(db: Db): { readonly db: Db; readonly count: () => number } {
  let count = 0;
  const counted = new Proxy(db, {
    get(target, name) {
      // Without the driver below, so that all goes by here.
      if (name === "$client") return undefined;
      if (name !== "execute") return Reflect.get(target, name);
      return (statement: SQL) => {
        if (!new PgDialect().sqlToQuery(statement).sql.startsWith("do language")) count++;
        return target.execute(statement);
      };
    },
  });
  return { db: counted, count: () => count };
}

describe("a report of several desktops", () => {
  test("writes all rows and trails, each trail in its order", async () => {
    const written = await reportVms(
      rows.node,
      vms.map((vm) => writeOf(vm)),
      by(),
    );
    expect([...written.keys()].sort()).toEqual([...vms].sort());
    for (const vm of vms) {
      expect(await rows.row(vm)).toMatchObject({ state: "running", generation_seen: "3", incarnation: "2" });
      expect(await rows.trail(vm)).toEqual(["agent-connected", "desktop-running"]);
    }
    const [event] = await rows.owner.execute(
      sql`select detail, wish_generation, node_id from vm_events where code = 'desktop-running' and vm_id = ${vms[1]}`,
    );
    expect(event).toMatchObject({ detail: { vm: vms[1] }, wish_generation: "3", node_id: nodeId });
  });

  test("leaves out what is no longer this node's, and only that", async () => {
    const [one, two, three] = vms as [VmId, VmId, VmId];
    await rows.owner.execute(sql`update vms set epoch = 2 where id = ${two}`);
    const before = await rows.row(two);
    const writes = [writeOf(one, { tries: 1 }), writeOf(two, { tries: 1 }), writeOf(three, { tries: 1 })];
    const written = await reportVms(rows.node, writes, by());
    expect([...written.keys()].sort()).toEqual([one, three]);
    expect(await rows.row(two)).toEqual(before);
    expect(await rows.trail(two)).toHaveLength(2);
    expect(await rows.row(three)).toMatchObject({ tries: 1 });
    await rows.owner.execute(sql`update vms set epoch = 1 where id = ${two}`);
  });

  test("is refused when it comes after that of the desktop's next owner", async () => {
    const [one] = vms as [VmId];
    await rows.owner.execute(sql`update vms set epoch = 2 where id = ${one}`);
    expect((await reportVms(rows.node, [writeOf(one, {}, 2)], by())).size).toBe(1);
    await rows.owner.execute(sql`update vms set epoch = 1 where id = ${one}`);
    expect((await reportVms(rows.node, [writeOf(one, { tries: 2 }, 1)], by())).size).toBe(0);
    await rows.owner.execute(sql`delete from vm_reports where vm_id = ${one}`);
  });

  test("turns moments of our clock into the database's", async () => {
    const [one] = vms as [VmId];
    const times = {
      nextTryAtMs: NOW_MS + 60_000,
      idleSinceMs: NOW_MS - 90_000,
      queueDueAtMs: NOW_MS + 5_000,
    };
    await reportVms(rows.node, [writeOf(one, times)], by());
    const [read] = await rows.owner.execute<Record<string, number>>(sql`
      select extract(epoch from next_try_at - qvd_now())::float8 as next,
        extract(epoch from qvd_now() - idle_since)::float8 as idle,
        extract(epoch from queue_due_at - qvd_now())::float8 as due from vm_reports where vm_id = ${one}`);
    expect(read?.next).toBeCloseTo(60, -1);
    expect(read?.idle).toBeCloseTo(90, -1);
    expect(read?.due).toBeCloseTo(5, -1);
    await reportVms(rows.node, [writeOf(one)], by());
    expect(await rows.row(one)).toMatchObject({ next_try_at: null, idle_since: null, queue_due_at: null });
  });

  test("of nothing asks nothing", async () => {
    const { db, count } = counting(rows.node);
    expect((await reportVms(db, [], by())).size).toBe(0);
    expect(count()).toBe(0);
  });
});

describe("the answer to a report", () => {
  const marks = async () => (await reportVms(rows.node, [writeOf(vms[0] as VmId)], by())).get(vms[0] as VmId);
  const read = async () => (await listNodeDesktops(rows.node, nodeId, vms.slice(0, 1)))[0]?.wishMarks;

  test("is what was read, as long as nothing is wished anew", async () => {
    const before = await read();
    expect(before).toBeString();
    expect(await marks()).toBe(before ?? "");
  });

  test.each([
    ["a wish", sql`update vms set wish_generation = wish_generation + 1`],
    ["a block", sql`update vms set is_blocked = true`],
    ["a deletion", sql`update vms set deleted_at = qvd_now()`],
    ["an expiry", sql`update vms set deleted_at = null, expires_hard_at = qvd_now()`],
    [
      "a session",
      sql`insert into sessions (vm_id, user_id, client, slave_key, broker_worker)
        select id, user_id, '{}', '', '1' from vms`,
    ],
  ])("is another after %s", async (_what, change) => {
    const before = await read();
    await rows.owner.execute(change);
    const after = await marks();
    expect(after).not.toBe(before ?? "");
    expect(after).toBe((await read()) ?? "");
  });
});

describe("a batch", () => {
  const batchOf = (db: Db) => new ReportBatch({ db, nodeId, nowMs: () => NOW_MS });

  test("sends what is said in one turn as one statement", async () => {
    const { db, count } = counting(rows.node);
    const batch = batchOf(db);
    const answers = await Promise.all(vms.map((vm) => batch.write(writeOf(vm))));
    expect(answers.map(isOurs)).toEqual([true, true, true]);
    expect(count()).toBe(1);
  });

  test("gathers what comes while a statement is on its way", async () => {
    const { db, count } = counting(rows.node);
    const batch = batchOf(db);
    const first = batch.write(writeOf(vms[0] as VmId));
    await Promise.resolve();
    const later = vms.slice(1).map((vm) => batch.write(writeOf(vm)));
    expect((await Promise.all([first, ...later])).map(isOurs)).toEqual([true, true, true]);
    expect(count()).toBe(2);
  });

  test("tells each desktop whether it is still ours", async () => {
    const batch = batchOf(rows.node);
    const writes = vms.map((vm, index) => batch.write(writeOf(vm, {}, index === 1 ? 7 : 1)));
    expect((await Promise.all(writes)).map(isOurs)).toEqual([true, false, true]);
  });

  test("doesn't let a row that the database refuses silence the others", async () => {
    const batch = batchOf(rows.node);
    const tooMany = { tries: 2 ** 40 };
    const writes = vms.map((vm, index) => batch.write(writeOf(vm, index === 1 ? tooMany : { tries: 5 })));
    const results = await Promise.allSettled(writes);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await rows.row(vms[2] as VmId)).toMatchObject({ tries: 5 });
  });

  test("says of a database that is away that it is, and goes on when it is back", async () => {
    let isAway = true;
    const db = new Proxy(rows.node, {
      get: (target, name) =>
        name === "$client"
          ? undefined
          : name === "execute" && isAway
            ? () => Promise.reject(Object.assign(new Error("gone"), { code: "ECONNREFUSED" }))
            : (Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name)),
    });
    const batch = batchOf(db);
    const results = await Promise.allSettled(vms.map((vm) => batch.write(writeOf(vm))));
    for (const result of results)
      expect(result.status === "rejected" && isAppError(result.reason) && result.reason.code).toBe(
        "database-away",
      );
    isAway = false;
    expect(isOurs(await batch.write(writeOf(vms[0] as VmId)))).toBe(true);
  });
});
