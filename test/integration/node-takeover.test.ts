/** The right to run between boxes, over a real database: rows, epochs, and what a take-over does to the books. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { openDatabase } from "../../src/db/client.ts";
import type { NodeId, VmId } from "../../src/domain/ids.ts";
import { leaseTimes } from "../../src/domain/node/lease-times.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createRowKeeper } from "../../src/node/keeper/row-keeper.ts";
import { loseRow, readOrMakeRow, renewRow, retakeRow } from "../../src/node/lease/row.ts";
import { reportBoxRestarted } from "../../src/node/report/report-box-restarted.ts";
import { reportUnreachable } from "../../src/node/report/report-unreachable.ts";
import { NodesWatch, type NodesWatchDeps } from "../../src/node/takeover/nodes-watch.ts";
import { takeOver } from "../../src/node/takeover/take-over.ts";
import { setShared } from "../../src/service/node/set-shared.ts";
import { takeOverDesktops } from "../../src/service/vm/take-over.ts";
import { NodeDatabase } from "../support/node-database.ts";

const SHARED = "5f6c1b6e-0000-4000-8000-000000000001";
const VALID_MS = 600;
let rows: NodeDatabase;
let here: NodeId;
let there: NodeId;

beforeEach(async () => {
  rows = await NodeDatabase.create("10.94.0");
  here = await rows.addNode("here");
  there = await rows.addNode("there");
  await rows.owner.execute(sql`update nodes set shared_id = ${SHARED}`);
});
afterEach(() => rows.database.drop());

async function lapse(nodeId: NodeId): Promise<void> {
  await rows.owner.execute(sql`update leases set renewed_at = now() - interval '1 minute',
    valid_until = now() - interval '1 second', fences = true where node_id = ${nodeId}`);
}

const renew = (epoch: number, fences = true) =>
  renewRow(rows.node, { nodeId: here, epoch, validMs: 60_000, fences });

describe("a row", () => {
  test("is renewed under its epoch, and tells how many could take over", async () => {
    expect(await renew(1)).toEqual({ isStanding: true, peers: 1 });
    await rows.owner.execute(sql`update nodes set shared_id = 'other' where id = ${there}`);
    expect(await renew(1)).toEqual({ isStanding: true, peers: 0 });
  });
  test("is lost once, and only when it has lapsed and fences", async () => {
    await renew(1);
    expect(await loseRow(rows.node, here, 1)).toBe(false);
    await rows.owner.execute(
      sql`update leases set valid_until = now() - interval '1 second', fences = false`,
    );
    expect(await loseRow(rows.node, here, 1)).toBe(false);
    await lapse(here);
    expect(await loseRow(rows.node, here, 1)).toBe(true);
    expect(await loseRow(rows.node, here, 2)).toBe(false);
  });
  test("that is lost is not renewed, and begins a new epoch only when it is taken anew", async () => {
    await lapse(here);
    await loseRow(rows.node, here, 1);
    expect((await renew(1)).isStanding).toBe(false);
    expect((await renew(2)).isStanding).toBe(false);
    expect(await readOrMakeRow(rows.node, here, VALID_MS)).toEqual({ epoch: 2, isLost: true });
    expect(await retakeRow(rows.node, here, VALID_MS)).toBe(3);
    expect((await renew(3)).isStanding).toBe(true);
  });
});

describe("a keeper", () => {
  test("finds its node by the box, since under its name there may be another one's", async () => {
    const open = () => openDatabase(rows.database.address("qvd_node"), { max: 1 });
    const keeper = createRowKeeper(open, leaseTimes());
    try {
      await rows.owner.execute(sql`update nodes set box_id = 'the first box' where id = ${here}`);
      expect(await keeper.findNode("here", "the first box")).toBe(here);
      expect(await keeper.findNode("here", "its copy")).toBeUndefined();
      expect(await keeper.findNode("there", "the first box")).toBeUndefined();
    } finally {
      await keeper.close();
    }
  });
});

describe("a take-over", () => {
  const loss = { epoch: 1, reason: "its counter stands still" };
  const take = () =>
    takeOver(
      { db: rows.node, node: { nodeId: here, name: "here" } },
      { lost: { nodeId: there, name: "there" }, ...loss },
    );

  async function running(name: string): Promise<VmId> {
    const vmId = await rows.addVm(name);
    await rows.wish(vmId, "running");
    await rows.owner.execute(sql`update vms set node_id = ${there}, epoch = 4 where id = ${vmId}`);
    await rows.owner.execute(sql`insert into vm_reports (vm_id, node_id, epoch, state, has_agent, tries)
      values (${vmId}, ${there}, 4, 'running', true, 2)`);
    return vmId;
  }

  test("frees the desktops under new epochs, as down, with the reason in their trail", async () => {
    const vmId = await running("one");
    await lapse(there);
    expect(await take()).toEqual([vmId]);
    const [vm] =
      await rows.owner.execute(sql`select v.node_id, v.epoch::int, r.state, r.has_agent, r.tries, r.epoch::int as seen
      from vms v join vm_reports r on r.vm_id = v.id where v.id = ${vmId}`);
    expect(vm).toMatchObject({
      node_id: null,
      epoch: 5,
      state: "stopped",
      has_agent: false,
      tries: 0,
      seen: 5,
    });
    const [event] = await rows.owner.execute<{ text: string }>(
      sql`select text from vm_events where code = 'desktop-taken-over'`,
    );
    expect(event?.text).toContain("Node there is lost (its counter stands still)");
  });
  test("ends the sittings of the lost box's brokers, and asks anew for those that wait elsewhere", async () => {
    const sitting = async (vmId: VmId, broker: NodeId) =>
      await rows.owner.execute(sql`insert into sessions (vm_id, user_id, client, slave_key, broker_node_id, broker_worker, state)
        select id, user_id, '{}', 'k', ${broker}, 'broker-1', 'preparing' from vms where id = ${vmId}`);
    await sitting(await running("one"), there);
    await sitting(await running("two"), here);
    await lapse(there);
    await take();
    const sessions = await rows.owner.execute(
      sql`select state, end_cause, ended_at is not null as "isOver" from sessions order by id`,
    );
    expect([...sessions]).toMatchObject([
      { end_cause: "node-lost", isOver: true },
      { state: "requested", end_cause: null, isOver: false },
    ]);
  });
  test("does nothing when the box has renewed its row meanwhile", async () => {
    await running("one");
    expect(await take()).toBeUndefined();
    const [vm] = await rows.owner.execute(sql`select node_id, epoch::int from vms`);
    expect(vm).toMatchObject({ node_id: there, epoch: 4 });
  });
  test("is for nodes alone", async () => {
    const context = {
      db: rows.owner,
      actor: { kind: "user", userId: rows.userId, tenantId: 1, login: "anna" },
    } as never;
    const by = { nodeId: there, nodeName: "there", reason: "because" };
    await expect(takeOverDesktops(context, by)).rejects.toThrow(/may not do node\.take-over/);
    await expect(setShared(context, { nodeId: there, sharedId: "x" })).rejects.toThrow(
      /may not do node\.set-shared/,
    );
  });
});

/** Stands nearly still with this process: whoever watches begins anew after a gap, and a busy machine makes many. */
function openCalmClock(): () => number {
  const clock = { ms: performance.now(), askedAtMs: performance.now() };
  return () => {
    const nowMs = performance.now();
    clock.ms += Math.min(nowMs - clock.askedAtMs, VALID_MS / 6);
    clock.askedAtMs = nowMs;
    return clock.ms;
  };
}

describe("a box that watches another", () => {
  const counters = new Map<NodeId, string>();
  let taken: number[];
  let watch: NodesWatch;
  let sharedId: string | undefined;
  let hasLease: boolean;

  beforeEach(() => {
    counters.clear();
    taken = [];
    sharedId = SHARED;
    hasLease = true;
  });
  afterEach(() => watch.stop());

  function start(more: Partial<NodesWatchDeps> = {}): void {
    watch = new NodesWatch({
      db: rows.node,
      node: { nodeId: here, name: "here" },
      times: leaseTimes(VALID_MS),
      shared: {
        id: SHARED,
        readId: async () => sharedId,
        readCounter: async (nodeId) => counters.get(nodeId),
      },
      hasLease: () => hasLease,
      onTaken: (_vmIds, { nodeId }) => void taken.push(nodeId),
      nowMs: openCalmClock(),
      log: silentLog(),
      ...more,
    });
    watch.start();
  }
  const isTaken = (timeoutMs: number) => waitFor(() => taken.length > 0, { timeoutMs });

  test("takes over when its row has lapsed and its counter stood still for one validity", async () => {
    await lapse(there);
    const beganMs = performance.now();
    start();
    expect(await isTaken(10_000)).toBe(true);
    expect(taken).toEqual([there]);
    expect(performance.now() - beganMs).toBeGreaterThan(VALID_MS);
  });
  test("leaves it alone as long as its counter moves", async () => {
    await lapse(there);
    const moving = setInterval(() => counters.set(there, `${performance.now()}`), 50);
    start();
    expect(await isTaken(VALID_MS * 3)).toBeUndefined();
    clearInterval(moving);
    expect(await isTaken(10_000)).toBe(true);
  });
  test("leaves it alone as long as its row is valid", async () => {
    await rows.owner.execute(sql`update leases set fences = true`);
    start();
    expect(await isTaken(VALID_MS * 3)).toBeUndefined();
  });
  test("takes nothing over while the shared storage isn't mounted, or its own right isn't held", async () => {
    await lapse(there);
    sharedId = undefined;
    start();
    expect(await isTaken(VALID_MS * 3)).toBeUndefined();
    hasLease = false;
    sharedId = SHARED;
    expect(await isTaken(VALID_MS * 3)).toBeUndefined();
    hasLease = true;
    expect(await isTaken(10_000)).toBe(true);
  });
  test("begins anew when it was stopped itself", async () => {
    await lapse(there);
    let offsetMs = 0;
    const calmMs = openCalmClock();
    start({ nowMs: () => calmMs() + offsetMs });
    await waitFor(() => false, { timeoutMs: VALID_MS / 2 });
    offsetMs = 60_000;
    expect(await isTaken(VALID_MS / 2)).toBeUndefined();
    expect(await isTaken(10_000)).toBe(true);
  });
});

test("the trail says why nobody may take the desktops of a silent box without shared storage", async () => {
  const vmId = await rows.addVm("one");
  await rows.wish(vmId, "running");
  await rows.owner.execute(sql`update vms set node_id = ${there} where id = ${vmId}`);
  await rows.owner.execute(sql`update nodes set shared_id = null where id = ${there}`);
  await lapse(there);
  await rows.owner.execute(sql`update leases set fences = false`);
  expect(await reportUnreachable(rows.node, { nodeId: here, silentMs: 500 })).toBe(1);
  expect(await reportUnreachable(rows.node, { nodeId: here, silentMs: 500 })).toBe(0);
  const [event] = await rows.owner.execute<{ text: string }>(
    sql`select text from vm_events where code = 'node-lost'`,
  );
  expect(event?.text).toContain("its home lies on that node alone");
});

test("desktops that went down with their machine start afresh, and those that live are left alone", async () => {
  const place = async (name: string, state: string, tries: number): Promise<VmId> => {
    const vmId = await rows.addVm(name);
    await rows.wish(vmId, "running");
    await rows.owner.execute(sql`update vms set node_id = ${here}, epoch = 2 where id = ${vmId}`);
    await rows.owner.execute(sql`insert into vm_reports (vm_id, node_id, epoch, state, has_agent, tries, fault_code)
      values (${vmId}, ${here}, 2, ${state}, true, ${tries}, 'start-given-up')`);
    return vmId;
  };
  const [down, lives, givenUp] = [
    await place("down", "running", 2),
    await place("lives", "running", 0),
    await place("given-up", "stopped", 3),
  ];
  expect(await reportBoxRestarted(rows.node, { nodeId: here, alive: [lives] })).toBe(2);
  expect(await rows.row(down)).toMatchObject({
    state: "stopped",
    tries: 0,
    has_agent: false,
    fault_code: null,
  });
  expect(await rows.row(givenUp)).toMatchObject({ state: "stopped", tries: 0, fault_code: null });
  expect(await rows.row(lives)).toMatchObject({ state: "running", has_agent: true });
  expect(await rows.trail(down)).toEqual(["desktop-ended"]);
  expect(await reportBoxRestarted(rows.node, { nodeId: here, alive: [lives] })).toBe(0);
});
