/** What a large site's database is spared, and what has to stay true without it. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";
import { asId, type NodeId, type VmId } from "../../src/domain/ids.ts";
import { readOrMakeRow, renewRow } from "../../src/node/lease/row.ts";
import { reportWakes } from "../../src/node/report/report-wakes.ts";
import { NodeDatabase } from "../support/node-database.ts";

let rows: NodeDatabase;
let nodeId: NodeId;
let vmId: VmId;

beforeAll(async () => {
  rows = await NodeDatabase.create("10.95.0");
  nodeId = await rows.addNode("box");
  vmId = await rows.addVm("one");
}, 120_000);
afterAll(() => rows.database.drop());

const waiting = async () =>
  (await rows.owner.execute(sql`select id from vms where needs_node order by id`)).map(({ id }) => id);

describe("a desktop needs a node", () => {
  test.each([
    ["wish = 'stopped', deleted_at = null, node_id = null", false],
    ["wish = 'running'", true],
    ["wish = 'stopped'", false],
    ["deleted_at = qvd_now()", true],
    ["node_id = (select min(id) from nodes)", false],
    ["wish = 'running', deleted_at = null", false],
  ])("after %s: %p", async (change, isWaiting) => {
    await rows.owner.execute(sql`update vms set ${sql.raw(change)} where id = ${vmId}`);
    expect(await waiting()).toEqual(isWaiting ? [vmId] : []);
  });
});

describe("in place, with no word to an index", () => {
  const changedInPlace = (table: string, change: string) =>
    rows.owner.transaction(async (tx) => {
      const read = async () => {
        const [row] = await tx.execute<{ updated: number; hot: number }>(
          sql`select n_tup_upd::int as updated, n_tup_hot_upd::int as hot from pg_stat_xact_user_tables
            where relname = ${table}`,
        );
        return row ?? { updated: 0, hot: 0 };
      };
      const before = await read();
      await tx.execute(sql.raw(change));
      const after = await read();
      return { updated: after.updated - before.updated, hot: after.hot - before.hot };
    });

  test("a wish for a desktop that has its node is written", async () => {
    await rows.owner.execute(sql`update vms set node_id = ${nodeId} where id = ${vmId}`);
    const wish = `update vms set wish = case wish when 'running' then 'stopped' else 'running' end,
      wish_generation = wish_generation + 1, wished_at = qvd_now(), wished_by = 'somebody' where id = ${vmId}`;
    expect(await changedInPlace("vms", wish)).toEqual({ updated: 1, hot: 1 });
  });

  test("a lease is renewed", async () => {
    const renew = "update leases set renewed_at = qvd_now(), valid_until = qvd_now()";
    expect(await changedInPlace("leases", renew)).toEqual({ updated: 1, hot: 1 });
  });
});

describe("a commit waits for the disk", () => {
  /** What is in force when `work` is done. The tests' cluster itself waits for none. */
  const settingAfter = (work: (tx: Db) => Promise<unknown>) =>
    rows.node.transaction(async (tx) => {
      await tx.execute(sql`set local synchronous_commit = on`);
      await work(tx);
      const [row] = await tx.execute(sql`select current_setting('synchronous_commit') as value`);
      return row?.value;
    });

  test.each([
    ["of a lease that others may take over", true, "on"],
    ["and of the word that they no longer may", false, "on"],
    ["but not of one that is only shown", false, "off"],
  ])("%s", async (_what, fences, expected) => {
    const { epoch } = await readOrMakeRow(rows.node, nodeId, 10_000);
    const renew = (tx: Db) => renewRow(tx, { nodeId, epoch, validMs: 10_000, fences });
    expect(await settingAfter(renew)).toBe(expected);
  });

  test("but not of a wake, and again of what the connection writes then", async () => {
    const db = rows.database.open("qvd_node", { max: 1 }).orm;
    await db.execute(sql`set synchronous_commit = on`);
    await reportWakes(db, [{ topic: "image" }], asId<NodeId>(0));
    const [row] = await db.execute(sql`select current_setting('synchronous_commit') as value`);
    expect(row?.value).toBe("on");
    expect(await settingAfter((tx) => reportWakes(tx, [{ topic: "image" }], asId<NodeId>(0)))).toBe("off");
  });
});

describe("without a foreign key", () => {
  test("the trail of a desktop ends with it, and no other's", async () => {
    const gone = await rows.addVm("gone");
    for (const id of [vmId, gone])
      await rows.owner.execute(sql`insert into vm_events (vm_id, code, text) values (${id}, 'x', 'y')`);
    await rows.owner.execute(sql`update vms set deleted_at = qvd_now() where id = ${gone}`);
    await rows.node.execute(sql`delete from vms where id = ${gone}`);
    const left = await rows.owner.execute(sql`select distinct vm_id from vm_events`);
    expect(left.map((row) => row.vm_id)).toEqual([vmId]);
  });

  test("an image that is deleted is nobody's any more", async () => {
    const [image] = await rows.owner.execute<{ id: number }>(
      sql`insert into dis (osf_id, version, file_name) select min(id), '9', 'nine.tar' from osfs returning id`,
    );
    await rows.owner.execute(
      sql`insert into vm_reports (vm_id, epoch, state, di_id) values (${vmId}, 1, 'stopped', ${image?.id ?? 0})`,
    );
    await rows.owner.execute(sql`delete from dis where id = ${image?.id ?? 0}`);
    const [report] = await rows.owner.execute(sql`select di_id from vm_reports where vm_id = ${vmId}`);
    expect(report?.di_id).toBeNull();
  });

  test("nobody calls by themselves what takes a trail along", async () => {
    const call = rows.node.execute(sql`select qvd_forget_vm()`);
    await expect(call.then()).rejects.toThrow();
  });
});

describe("the clock of a statement", () => {
  test("is one moment for all of it, and moves on with the next", async () => {
    const read = async () =>
      (
        await rows.node.execute<{ early: string; late: string }>(
          sql`select qvd_now()::text as early, (select qvd_now()::text from pg_sleep(0.01)) as late`,
        )
      )[0];
    const first = await read();
    expect(first?.late).toBe(first?.early ?? "");
    expect((await read())?.early).not.toBe(first?.early);
  });

  test("moves on inside of a transaction too", async () => {
    const [early, late] = await rows.node.transaction(async (tx) => {
      const read = async () => (await tx.execute(sql`select qvd_now()::text as now`))[0]?.now;
      return [await read(), await read()];
    });
    expect(late).not.toBe(early);
  });

  test("is the one that a simulation sets", async () => {
    const [row] = await rows.node.transaction(async (tx) => {
      await tx.execute(sql`set local qvd.now = '2030-01-01T00:00:00Z'`);
      return await tx.execute(sql`select qvd_now() = '2030-01-01T00:00:00Z' as is_set`);
    });
    expect(row?.is_set).toBe(true);
  });
});
