import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { sql } from "drizzle-orm";
import { homeFolder } from "../../src/domain/node/layout.ts";
import { waitFor } from "../../src/lib/wait.ts";
import type { NodeDatabase } from "../support/node-database.ts";
import { IMPATIENT, NodeWorld, SHORT_LIMITS } from "../support/node-world.ts";

let world: NodeWorld;
let rows: NodeDatabase;

beforeEach(async () => {
  world = await NodeWorld.create();
  rows = world.rows;
});
afterEach(async () => {
  await world.end();
});

describe("a desktop that is wished running", () => {
  test("is placed, started and reported running, with its whole way in the trail", async () => {
    await world.startNode();
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    expect(await rows.reaches(vm, "running")).toBe("running");
    expect(await rows.trail(vm)).toEqual([
      "start-taken",
      "image-unpack-started",
      "image-unpack-ended",
      "disks-ready",
      "container-started",
      "agent-connected",
      "desktop-running",
    ]);
    expect(await rows.row(vm)).toMatchObject({
      has_agent: true,
      tries: 0,
      di_id: rows.diId,
      fault_code: null,
    });
  });

  test("takes the image as it is, once it is unpacked", async () => {
    await world.startNode();
    const [one, two] = [await rows.addVm("one"), await rows.addVm("two")];
    await rows.wish(one, "running");
    await rows.reaches(one, "running");
    await rows.wish(two, "running");
    await rows.reaches(two, "running");
    expect(await rows.trail(two)).not.toContain("image-unpack-started");
  });

  test("is never planned for by what was read before its last steps ended", async () => {
    const { loop } = await world.startNode();
    world.storage.slowLooks(15);
    const nagging = setInterval(() => loop.wake(), 1);
    try {
      const vm = await rows.addVm("one");
      await rows.wish(vm, "running");
      await rows.reaches(vm, "running");
      await rows.wish(vm, "stopped");
      await rows.reaches(vm, "stopped");
      const trail = await rows.trail(vm);
      expect(trail).toEqual([...new Set(trail)]);
    } finally {
      clearInterval(nagging);
    }
  });

  test("waits in starting_1 for its turn, and is told its place", async () => {
    const vms = [await rows.addVm("one"), await rows.addVm("two"), await rows.addVm("three")];
    for (const vm of vms) world.hypervisor.set(vm, { bootMs: 60 });
    // All before the first is up, however slowly that goes.
    for (const vm of vms) await rows.wish(vm, "running");
    await world.startNode({ parallelStarts: 1 });
    for (const vm of vms) expect(await rows.reaches(vm, "running")).toBe("running");
    expect(world.hypervisor.mostStarting).toBe(1);
    const queued = await Promise.all(vms.map(async (vm) => (await rows.trail(vm)).includes("start-queued")));
    expect(queued.filter(Boolean)).toHaveLength(2);
  });

  test("starts nothing without the lease, and everything once it is there", async () => {
    world.hasLease = false;
    const { loop } = await world.startNode();
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    expect(await waitFor(() => loop.list().has(vm), { timeoutMs: 15_000 })).toBe(true);
    await Bun.sleep(50);
    expect(world.hypervisor.starts).toBe(0);
    world.hasLease = true;
    loop.wake(vm);
    expect(await rows.reaches(vm, "running")).toBe("running");
  });
});

describe("a desktop that is wished stopped", () => {
  test("is asked, goes down, and leaves nothing but its home", async () => {
    await world.startNode();
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    await rows.reaches(vm, "running");
    await rows.wish(vm, "stopped");
    expect(await rows.reaches(vm, "stopped")).toBe("stopped");
    expect((await rows.trail(vm)).slice(-3)).toEqual(["stop-taken", "poweroff-answered", "desktop-stopped"]);
    expect(await world.remains()).toEqual([]);
    expect(existsSync(homeFolder(world.layout, vm))).toBe(true);
  });

  test("is killed in the end, by way of all four states, when it ignores everything", async () => {
    // It starts and answers in time, and does nothing after that.
    const { startTimeoutMs, poweroffAnswerMs } = SHORT_LIMITS;
    await world.startNode({ limits: { ...IMPATIENT, startTimeoutMs, poweroffAnswerMs } });
    const vm = await rows.addVm("one");
    world.hypervisor.set(vm, { ignoresPoweroff: true, ignoresHalt: true, ignoresTerminate: true });
    await rows.wish(vm, "running");
    await rows.reaches(vm, "running");
    await rows.wish(vm, "stopped");
    expect(await rows.reaches(vm, "stopped")).toBe("stopped");
    expect((await rows.trail(vm)).slice(-5)).toEqual([
      "stop-taken",
      "poweroff-answered",
      "monitor-terminated",
      "kill-sent",
      "desktop-stopped",
    ]);
    expect(await world.remains()).toEqual([]);
  });

  test("is stopped before it ever ran when the wish comes early", async () => {
    await world.startNode();
    const vm = await rows.addVm("one");
    world.hypervisor.set(vm, { bootMs: 100 });
    await rows.wish(vm, "running");
    await rows.reaches(vm, "starting_2");
    await rows.wish(vm, "stopped");
    expect(await rows.reaches(vm, "stopped")).toBe("stopped");
    expect(await world.remains()).toEqual([]);
  });
});

describe("a desktop that can't be started", () => {
  test("is given up after three tries, with its reasons, and leaves nothing", async () => {
    await world.startNode();
    const vm = await rows.addVm("one");
    world.hypervisor.set(vm, { failingStarts: 99 });
    await rows.wish(vm, "running");
    await rows.tells(vm, "start-given-up");
    expect(await rows.reaches(vm, "stopped")).toBe("stopped");
    expect(world.hypervisor.starts).toBe(3);
    const trail = await rows.trail(vm);
    expect(trail.filter((code) => code === "start-failed")).toHaveLength(3);
    expect(trail.filter((code) => code === "start-retry-planned")).toHaveLength(2);
    expect(await rows.row(vm)).toMatchObject({ fault_code: "start-given-up", tries: 3, wish: "running" });
    expect(await world.remains()).toEqual([]);
  });

  test("is tried afresh by a new wish", async () => {
    await world.startNode();
    const vm = await rows.addVm("one");
    world.hypervisor.set(vm, { failingStarts: 3 });
    await rows.wish(vm, "running");
    await rows.tells(vm, "start-given-up");
    await rows.reaches(vm, "stopped");
    await rows.wish(vm, "running");
    expect(await rows.reaches(vm, "running")).toBe("running");
    expect(await rows.row(vm)).toMatchObject({ fault_code: null, tries: 0 });
  });

  test("whose image is broken says so, and the next try comes after a pause", async () => {
    await world.startNode();
    const vm = await rows.addVm("one");
    world.storage.failUnpacking(1, "the image is cut off");
    await rows.wish(vm, "running");
    expect(await rows.reaches(vm, "running")).toBe("running");
    expect(await rows.textOf(vm, "start-failed")).toContain("the image is cut off");
  });

  test("whose agent never answers is taken down each time", async () => {
    await world.startNode({ limits: IMPATIENT });
    const vm = await rows.addVm("one");
    world.hypervisor.set(vm, { bootMs: undefined });
    await rows.wish(vm, "running");
    await rows.tells(vm, "start-given-up");
    expect(await rows.reaches(vm, "stopped")).toBe("stopped");
    expect(world.hypervisor.starts).toBe(3);
    expect(await world.remains()).toEqual([]);
  });

  test("for want of an image is refused at once", async () => {
    await world.startNode();
    await rows.owner.execute(sql`delete from di_tags`);
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    await rows.tells(vm, "start-given-up");
    expect(world.hypervisor.starts).toBe(0);
    expect(String((await rows.row(vm)).fault_text)).toContain("carries the tag default");
  });
});

describe("a desktop that ends by itself", () => {
  test("is started again when it crashed", async () => {
    await world.startNode();
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    await rows.reaches(vm, "running");
    world.hypervisor.die(vm);
    await waitFor(
      async () => (await rows.trail(vm)).filter((code) => code === "desktop-running").length === 2,
      {
        timeoutMs: 15_000,
      },
    );
    expect(await rows.trail(vm)).toContain("desktop-crashed");
    expect(await rows.row(vm)).toMatchObject({ state: "running", tries: 1 });
  });

  test("is not started for ever when it always crashes", async () => {
    await world.startNode();
    const vm = await rows.addVm("one");
    world.hypervisor.set(vm, { diesAfterMs: 30 });
    await rows.wish(vm, "running");
    await rows.tells(vm, "start-given-up");
    expect(await rows.reaches(vm, "stopped")).toBe("stopped");
    expect(world.hypervisor.starts).toBe(3);
  });

  test("wished itself stopped when it was powered off from inside", async () => {
    await world.startNode();
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    await rows.reaches(vm, "running");
    world.hypervisor.agent(vm)?.say({ type: "powering-off" });
    setTimeout(() => world.hypervisor.die(vm), 30);
    expect(await rows.reaches(vm, "stopped")).toBe("stopped");
    expect(await rows.row(vm)).toMatchObject({ wish: "stopped", wished_by: `vm:${vm}`, tries: 0 });
    expect(await rows.trail(vm)).toContain("poweroff-announced");
    expect(world.hypervisor.starts).toBe(1);
  });
});

describe("a session request", () => {
  test("starts the desktop's X session and gives the node's word for its place", async () => {
    await world.startNode();
    const vm = await rows.addVm("one");
    const session = await rows.requestSession(vm);
    await rows.wish(vm, "running");
    await rows.sessionReaches(session, "listening");
    expect(await rows.session(session)).toMatchObject({
      address: "10.93.0.2",
      port: 4100,
      fault_text: null,
    });
    expect((await rows.trail(vm)).slice(-2)).toEqual(["session-preparing", "session-listening"]);
    expect(world.hypervisor.agent(vm)?.prepared).toEqual([session]);
  });

  test("of a newer client is prepared in the older one's place", async () => {
    await world.startNode();
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    const first = await rows.requestSession(vm);
    await rows.sessionReaches(first, "listening");
    const second = await rows.requestSession(vm);
    await rows.sessionReaches(second, "listening");
    expect(world.hypervisor.agent(vm)?.prepared).toEqual([first, second]);
  });

  test("fails with the guest's reason when nxagent can't start", async () => {
    await world.startNode();
    const vm = await rows.addVm("one");
    world.hypervisor.set(vm, { failsSessions: true });
    await rows.wish(vm, "running");
    const session = await rows.requestSession(vm);
    await rows.sessionReaches(session, "failed");
    expect(String((await rows.session(session)).fault_text)).toContain("nxagent ended at once");
    expect(await rows.state(vm)).toBe("running");
  });

  test("fails with the reason when the desktop is given up", async () => {
    await world.startNode();
    const vm = await rows.addVm("one");
    world.hypervisor.set(vm, { failingStarts: 99 });
    await rows.wish(vm, "running");
    const session = await rows.requestSession(vm);
    await rows.sessionReaches(session, "failed");
    expect(String((await rows.session(session)).fault_text)).toContain("lxc-start ended with 1");
  });
});
