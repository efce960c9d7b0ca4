/** What an OSF promises and the health checks demand, carried out by the loop over a real database. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { sql } from "drizzle-orm";
import type { VmId } from "../../src/domain/ids.ts";
import { vmLayout } from "../../src/domain/node/layout.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { unblockVm } from "../../src/service/vm/unblock.ts";
import type { NodeDatabase } from "../support/node-database.ts";
import { IMPATIENT, NodeWorld } from "../support/node-world.ts";

let world: NodeWorld;
let rows: NodeDatabase;

beforeEach(async () => {
  world = await NodeWorld.create();
  rows = world.rows;
});
afterEach(async () => {
  await world.end();
});

const says = (policy: ReturnType<typeof sql>) => rows.owner.execute(sql`update osfs set ${policy}`);
const stays = async (vm: VmId, forMs: number) => {
  await Bun.sleep(forMs);
  return [await rows.state(vm), (await rows.row(vm)).wish];
};

async function runningVm(): Promise<VmId> {
  const vm = await rows.addVm("one");
  await rows.wish(vm, "running");
  expect(await rows.reaches(vm, "running")).toBe("running");
  return vm;
}

/** By `toMatchObject`, as a question. */
function isLike(row: Record<string, unknown>, expected: Record<string, unknown>): boolean {
  try {
    expect(row).toMatchObject(expected);
    return true;
  } catch {
    // Not yet; the last look says what is missing.
    return false;
  }
}

async function holds(vm: VmId, expected: Record<string, unknown>): Promise<void> {
  const isSo = async () => isLike(await rows.row(vm), expected);
  await waitFor(isSo, { timeoutMs: 15_000, everyMs: 10 });
  expect(await rows.row(vm)).toMatchObject(expected);
}

/** Somebody comes, sits down, and their client goes away. */
async function visit(vm: VmId): Promise<void> {
  const session = await rows.requestSession(vm);
  expect(await rows.sessionReaches(session, "listening")).toBe(true);
  world.hypervisor.agent(vm)?.sayXState("connected");
  await holds(vm, { x_state: "connected" });
  await rows.owner.execute(sql`update sessions set ended_at = now() where id = ${session}`);
  world.hypervisor.agent(vm)?.sayXState("suspended");
  rows.onChange(vm);
}

describe("a desktop that nobody sits at", () => {
  test("goes on where its OSF says nothing, and since when is known", async () => {
    await world.startNode();
    const vm = await runningVm();
    await visit(vm);
    await holds(vm, { x_state: "suspended", idle_since: expect.anything() });
    expect(await stays(vm, 200)).toEqual(["running", "running"]);
  });

  test("is stopped at once where its OSF says so, in nobody's name but the policy's", async () => {
    await says(sql`idle_stop_seconds = 0`);
    await world.startNode();
    const vm = await runningVm();
    await visit(vm);
    expect(await rows.reaches(vm, "stopped")).toBe("stopped");
    await holds(vm, { wish: "stopped", wished_by: "system:idle" });
    expect(await rows.textOf(vm, "wish-recorded")).toContain("its OS flavour stops such desktops at once");
    expect(await rows.textOf(vm, "stop-taken")).toContain("nobody is connected any more");
  });

  test("is kept by somebody who comes back in time", async () => {
    await says(sql`idle_stop_seconds = 3600`);
    await world.startNode();
    const vm = await runningVm();
    await visit(vm);
    await holds(vm, { idle_since: expect.anything() });
    await rows.requestSession(vm);
    await holds(vm, { idle_since: null });
    // By now whoever were still thought away would be stopped at once.
    await says(sql`idle_stop_seconds = 0`);
    const { looks } = world;
    expect(await waitFor(() => world.looks > looks + 3, { timeoutMs: 15_000 })).toBe(true);
    expect(await stays(vm, 100)).toEqual(["running", "running"]);
  });

  test("isn't taken from whoever is on the way to a desktop that was just started", async () => {
    await says(sql`idle_stop_seconds = 0`);
    await world.startNode({ limits: { unvisitedMs: 3_000 } });
    const vm = await runningVm();
    expect(await stays(vm, 150)).toEqual(["running", "running"]);
    expect(await rows.reaches(vm, "stopped")).toBe("stopped");
  });
});

describe("a desktop that ends by itself", () => {
  test("is left stopped where its OSF says so", async () => {
    await says(sql`on_crash = 'leave'`);
    await world.startNode();
    const vm = await runningVm();
    world.hypervisor.die(vm);
    expect(await rows.reaches(vm, "stopped")).toBe("stopped");
    await holds(vm, { wish: "stopped", wished_by: "system:crashed", crashes: 1 });
    expect(world.hypervisor.starts).toBe(1);
    expect(await rows.trail(vm)).toContain("desktop-crashed");
  });

  test("is blocked when it keeps doing so, and starts afresh once a person has unblocked it", async () => {
    await world.startNode({ limits: { mostCrashes: 4 } });
    const vm = await rows.addVm("one");
    world.hypervisor.set(vm, { diesAfterMs: 30 });
    for (let wish = 0; wish < 2; wish++) {
      await rows.wish(vm, "running");
      expect(await waitFor(async () => (await givenUp(vm)) > wish, { timeoutMs: 15_000 })).toBe(true);
    }
    const [blocked] = await rows.owner.execute(
      sql`select is_blocked, blocked_reason from vms where id = ${vm}`,
    );
    expect(blocked?.is_blocked).toBe(true);
    expect(blocked?.blocked_reason).toContain("failed 4 times in a row");
    expect(world.hypervisor.starts).toBe(4);
    expect(await rows.textOf(vm, "desktop-blocked")).toContain("Unblock it");

    world.hypervisor.set(vm, { diesAfterMs: undefined });
    await unblockVm({ db: rows.owner, actor: { kind: "system", what: "test" } }, { vmId: vm });
    await rows.wish(vm, "running");
    expect(await rows.reaches(vm, "running")).toBe("running");
    await holds(vm, { crashes: 0 });
  });

  const givenUp = async (vm: VmId) =>
    (await rows.trail(vm)).filter((code) => code === "start-given-up").length;
});

describe("a desktop whose time is over", () => {
  const expire = (vm: VmId, column: "soft" | "hard") =>
    rows.owner.execute(
      column === "soft"
        ? sql`update vms set expires_soft_at = now(), expires_hard_at = now() + interval '1 h' where id = ${vm}`
        : sql`update vms set expires_soft_at = now(), expires_hard_at = now() where id = ${vm}`,
    );

  test("tells the person inside once, and goes on", async () => {
    await world.startNode();
    const vm = await runningVm();
    await visit(vm);
    await holds(vm, { x_state: "suspended" });
    await expire(vm, "soft");
    rows.onChange(vm);
    expect(await rows.tells(vm, "expiry-told")).toBe(true);
    expect(await stays(vm, 100)).toEqual(["running", "running"]);
    const notices = world.hypervisor.agent(vm)?.notices ?? [];
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain("newer version of this desktop");
  });

  test("is stopped gracefully, and its next life has all the time again", async () => {
    await world.startNode();
    const vm = await runningVm();
    await expire(vm, "hard");
    rows.onChange(vm);
    expect(await rows.reaches(vm, "stopped")).toBe("stopped");
    await holds(vm, { wished_by: "system:expired" });
    expect(await rows.trail(vm)).toContain("poweroff-answered");
    const isCleared = async () =>
      (await rows.owner.execute(sql`select from vms where id = ${vm} and expires_hard_at is null`)).length ===
      1;
    expect(await waitFor(isCleared, { timeoutMs: 15_000 })).toBe(true);
    await rows.wish(vm, "running");
    expect(await rows.reaches(vm, "running")).toBe("running");
  });
});

describe("a desktop whose network is broken", () => {
  test("isn't running before that is mended", async () => {
    await world.startNode({ limits: { startTimeoutMs: 60_000, networkAgainMs: 10 } });
    const vm = await rows.addVm("one");
    world.brokenNetworks.add(vm);
    await rows.wish(vm, "running");
    expect(await rows.tells(vm, "health-fault")).toBe(true);
    expect(await rows.state(vm)).toBe("starting_2");
    await holds(vm, { fault_code: "network-broken", has_network: false });
    world.brokenNetworks.delete(vm);
    expect(await rows.reaches(vm, "running")).toBe("running");
    await holds(vm, { fault_code: null, has_network: true });
    expect(await rows.trail(vm)).toContain("health-restored");
  });

  test("runs on with a named fault, until it is right again", async () => {
    await world.startNode();
    const vm = await runningVm();
    await holds(vm, { has_network: true });
    world.brokenNetworks.add(vm);
    await holds(vm, { state: "running", fault_code: "network-broken", has_network: false });
    world.brokenNetworks.delete(vm);
    await holds(vm, { state: "running", fault_code: null, has_network: true });
    expect((await rows.trail(vm)).slice(-2)).toEqual(["health-fault", "health-restored"]);
  });

  test("has failed to start when it never comes up", async () => {
    // Its agent answers in time, its network doesn't.
    await world.startNode({ limits: { ...IMPATIENT, startTimeoutMs: 2_000, networkAgainMs: 10 } });
    const vm = await rows.addVm("one");
    world.brokenNetworks.add(vm);
    await rows.wish(vm, "running");
    expect(await rows.tells(vm, "start-given-up")).toBe(true);
    expect(await rows.textOf(vm, "start-given-up")).toContain("network did not come up");
  });
});

describe("the lives of a desktop", () => {
  test("are counted, and the desktop can tell which it is", async () => {
    await world.startNode();
    const vm = await runningVm();
    const read = () => readFileSync(`${vmLayout(world.layout, vm).channel}/incarnation`, "utf8");
    expect(read()).toBe("1 1\n");
    await rows.wish(vm, "stopped");
    await rows.reaches(vm, "stopped");
    await rows.wish(vm, "running");
    await rows.reaches(vm, "running");
    expect(read()).toBe("1 2\n");
    await holds(vm, { incarnation: "2" });
  });
});

describe("the box's queues", () => {
  test("start one after the other, each with its place and, once measured, an estimate", async () => {
    const vms = await addMany(5);
    for (const vm of vms) world.hypervisor.set(vm, { bootMs: 80 });
    // All before the first is up, however slowly that goes.
    for (const vm of vms) await rows.wish(vm, "running");
    await world.startNode({ parallelStarts: 1 });
    for (const vm of vms) expect(await rows.reaches(vm, "running")).toBe("running");
    const told = await rows.owner.execute<{ detail: { position: number; dueInMs?: number } }>(
      sql`select detail from vm_events where code = 'start-queued' order by id`,
    );
    expect(
      told
        .map(({ detail }) => detail.position)
        .slice(0, 4)
        .sort(),
    ).toEqual([1, 2, 3, 4]);
    for (const vm of vms) await holds(vm, { queue_position: null, queue_due_at: null });
  });

  test("stop so many at a time, and the others are told", async () => {
    await world.startNode({ parallelStops: 1, limits: { goingDownMs: 60_000 } });
    const vms = await addMany(3);
    for (const vm of vms) world.hypervisor.set(vm, { ignoresPoweroff: true });
    for (const vm of vms) await rows.wish(vm, "running");
    for (const vm of vms) await rows.reaches(vm, "running");
    for (const vm of vms) await rows.wish(vm, "stopped");
    for (const vm of vms.slice(1)) expect(await rows.tells(vm, "stop-queued")).toBe(true);
    for (const vm of vms.slice(0, 1)) expect(await rows.reaches(vm, "stopping_2")).toBe("stopping_2");
    expect(await stateCounts()).toEqual({ running: 2, stopping_2: 1 });
    for (const vm of vms) {
      await rows.reaches(vm, "stopping_2");
      world.hypervisor.die(vm);
      expect(await rows.reaches(vm, "stopped")).toBe("stopped");
    }
  });

  const addMany = async (count: number) => {
    const vms: VmId[] = [];
    for (let index = 0; index < count; index++) vms.push(await rows.addVm(`vm-${index}`));
    return vms;
  };
  const stateCounts = async () =>
    Object.fromEntries(
      (
        await rows.owner.execute<{ state: string; count: number }>(
          sql`select state, count(*)::int as count from vm_reports group by 1 order by 1`,
        )
      ).map((row) => [row.state, row.count]),
    );
});
