import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { sql } from "drizzle-orm";
import { homeFolder } from "../../src/domain/node/layout.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { NodeWorld } from "../support/node-world.ts";

let world: NodeWorld;

beforeEach(async () => {
  world = await NodeWorld.create();
});
afterEach(async () => {
  await world.end();
});

describe("a desktop that is wished running", () => {
  test("is placed, started and reported running, with its whole way in the trail", async () => {
    await world.startNode();
    const vm = await world.addVm("one");
    await world.wish(vm, "running");
    expect(await world.reaches(vm, "running")).toBe("running");
    expect(await world.trail(vm)).toEqual([
      "start-taken",
      "image-unpack-started",
      "image-unpack-ended",
      "disks-ready",
      "container-started",
      "agent-connected",
      "desktop-running",
    ]);
    expect(await world.row(vm)).toMatchObject({
      has_agent: true,
      tries: 0,
      di_id: world.diId,
      fault_code: null,
    });
  });

  test("takes the image as it is, once it is unpacked", async () => {
    await world.startNode();
    const [one, two] = [await world.addVm("one"), await world.addVm("two")];
    await world.wish(one, "running");
    await world.reaches(one, "running");
    await world.wish(two, "running");
    await world.reaches(two, "running");
    expect(await world.trail(two)).not.toContain("image-unpack-started");
  });

  test("waits in starting_1 for its turn, and is told its place", async () => {
    await world.startNode({ parallelStarts: 1 });
    const vms = [await world.addVm("one"), await world.addVm("two"), await world.addVm("three")];
    for (const vm of vms) world.hypervisor.set(vm, { bootMs: 60 });
    for (const vm of vms) await world.wish(vm, "running");
    for (const vm of vms) expect(await world.reaches(vm, "running")).toBe("running");
    expect(world.hypervisor.mostStarting).toBe(1);
    const queued = await Promise.all(vms.map(async (vm) => (await world.trail(vm)).includes("start-queued")));
    expect(queued.filter(Boolean)).toHaveLength(2);
  });

  test("starts nothing without the lease, and everything once it is there", async () => {
    world.hasLease = false;
    const { loop } = await world.startNode();
    const vm = await world.addVm("one");
    await world.wish(vm, "running");
    await waitFor(() => loop.list().has(vm), { timeoutMs: 2_000 });
    await Bun.sleep(50);
    expect(world.hypervisor.starts).toBe(0);
    world.hasLease = true;
    loop.wake(vm);
    expect(await world.reaches(vm, "running")).toBe("running");
  });
});

describe("a desktop that is wished stopped", () => {
  test("is asked, goes down, and leaves nothing but its home", async () => {
    await world.startNode();
    const vm = await world.addVm("one");
    await world.wish(vm, "running");
    await world.reaches(vm, "running");
    await world.wish(vm, "stopped");
    expect(await world.reaches(vm, "stopped")).toBe("stopped");
    expect((await world.trail(vm)).slice(-3)).toEqual(["stop-taken", "poweroff-answered", "desktop-stopped"]);
    expect(await world.remains()).toEqual([]);
    expect(existsSync(homeFolder(world.layout, vm))).toBe(true);
  });

  test("is killed in the end, by way of all four states, when it ignores everything", async () => {
    await world.startNode();
    const vm = await world.addVm("one");
    world.hypervisor.set(vm, { ignoresPoweroff: true, ignoresHalt: true, ignoresTerminate: true });
    await world.wish(vm, "running");
    await world.reaches(vm, "running");
    await world.wish(vm, "stopped");
    expect(await world.reaches(vm, "stopped")).toBe("stopped");
    expect((await world.trail(vm)).slice(-5)).toEqual([
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
    const vm = await world.addVm("one");
    world.hypervisor.set(vm, { bootMs: 100 });
    await world.wish(vm, "running");
    await world.reaches(vm, "starting_2");
    await world.wish(vm, "stopped");
    expect(await world.reaches(vm, "stopped")).toBe("stopped");
    expect(await world.remains()).toEqual([]);
  });
});

describe("a desktop that can't be started", () => {
  test("is given up after three tries, with its reasons, and leaves nothing", async () => {
    await world.startNode();
    const vm = await world.addVm("one");
    world.hypervisor.set(vm, { failingStarts: 99 });
    await world.wish(vm, "running");
    await waitFor(async () => (await world.trail(vm)).includes("start-given-up"), { timeoutMs: 5_000 });
    expect(await world.reaches(vm, "stopped")).toBe("stopped");
    expect(world.hypervisor.starts).toBe(3);
    const trail = await world.trail(vm);
    expect(trail.filter((code) => code === "start-failed")).toHaveLength(3);
    expect(trail.filter((code) => code === "start-retry-planned")).toHaveLength(2);
    expect(await world.row(vm)).toMatchObject({ fault_code: "start-given-up", tries: 3, wish: "running" });
    expect(await world.remains()).toEqual([]);
  });

  test("is tried afresh by a new wish", async () => {
    await world.startNode();
    const vm = await world.addVm("one");
    world.hypervisor.set(vm, { failingStarts: 3 });
    await world.wish(vm, "running");
    await waitFor(async () => (await world.trail(vm)).includes("start-given-up"), { timeoutMs: 5_000 });
    await world.reaches(vm, "stopped");
    await world.wish(vm, "running");
    expect(await world.reaches(vm, "running")).toBe("running");
    expect(await world.row(vm)).toMatchObject({ fault_code: null, tries: 0 });
  });

  test("whose image is broken says so, and the next try comes after a pause", async () => {
    await world.startNode();
    const vm = await world.addVm("one");
    world.storage.failUnpacking(1, "the image is cut off");
    await world.wish(vm, "running");
    expect(await world.reaches(vm, "running")).toBe("running");
    const rows = await world.owner.execute<{ text: string }>(
      sql`select text from vm_events where vm_id = ${vm} and code = 'start-failed'`,
    );
    expect(rows[0]?.text).toContain("the image is cut off");
  });

  test("whose agent never answers is taken down each time", async () => {
    await world.startNode();
    const vm = await world.addVm("one");
    world.hypervisor.set(vm, { bootMs: undefined });
    await world.wish(vm, "running");
    await waitFor(async () => (await world.trail(vm)).includes("start-given-up"), { timeoutMs: 5_000 });
    expect(await world.reaches(vm, "stopped")).toBe("stopped");
    expect(world.hypervisor.starts).toBe(3);
    expect(await world.remains()).toEqual([]);
  });

  test("for want of an image is refused at once", async () => {
    await world.startNode();
    await world.owner.execute(sql`delete from di_tags`);
    const vm = await world.addVm("one");
    await world.wish(vm, "running");
    await waitFor(async () => (await world.trail(vm)).includes("start-given-up"), { timeoutMs: 5_000 });
    expect(world.hypervisor.starts).toBe(0);
    expect(String((await world.row(vm)).fault_text)).toContain("carries the tag default");
  });
});

describe("a desktop that ends by itself", () => {
  test("is started again when it crashed", async () => {
    await world.startNode();
    const vm = await world.addVm("one");
    await world.wish(vm, "running");
    await world.reaches(vm, "running");
    world.hypervisor.die(vm);
    await waitFor(
      async () => (await world.trail(vm)).filter((code) => code === "desktop-running").length === 2,
      {
        timeoutMs: 5_000,
      },
    );
    expect(await world.trail(vm)).toContain("desktop-crashed");
    expect(await world.row(vm)).toMatchObject({ state: "running", tries: 1 });
  });

  test("is not started for ever when it always crashes", async () => {
    await world.startNode();
    const vm = await world.addVm("one");
    world.hypervisor.set(vm, { diesAfterMs: 30 });
    await world.wish(vm, "running");
    await waitFor(async () => (await world.trail(vm)).includes("start-given-up"), { timeoutMs: 8_000 });
    expect(await world.reaches(vm, "stopped")).toBe("stopped");
    expect(world.hypervisor.starts).toBe(3);
  });

  test("wished itself stopped when it was powered off from inside", async () => {
    await world.startNode();
    const vm = await world.addVm("one");
    await world.wish(vm, "running");
    await world.reaches(vm, "running");
    world.hypervisor.agent(vm)?.say({ type: "powering-off" });
    setTimeout(() => world.hypervisor.die(vm), 30);
    expect(await world.reaches(vm, "stopped")).toBe("stopped");
    expect(await world.row(vm)).toMatchObject({ wish: "stopped", wished_by: `vm:${vm}`, tries: 0 });
    expect(await world.trail(vm)).toContain("poweroff-announced");
    expect(world.hypervisor.starts).toBe(1);
  });
});

describe("a session request", () => {
  test("starts the desktop's X session and gives the node's word for its place", async () => {
    await world.startNode();
    const vm = await world.addVm("one");
    const session = await world.requestSession(vm);
    await world.wish(vm, "running");
    await waitFor(async () => (await world.session(session)).state === "listening", { timeoutMs: 5_000 });
    expect(await world.session(session)).toMatchObject({
      address: "10.93.0.2",
      port: 4100,
      fault_text: null,
    });
    expect((await world.trail(vm)).slice(-2)).toEqual(["session-preparing", "session-listening"]);
    expect(world.hypervisor.agent(vm)?.prepared).toEqual([session]);
  });

  test("of a newer client is prepared in the older one's place", async () => {
    await world.startNode();
    const vm = await world.addVm("one");
    await world.wish(vm, "running");
    const first = await world.requestSession(vm);
    await waitFor(async () => (await world.session(first)).state === "listening", { timeoutMs: 5_000 });
    const second = await world.requestSession(vm);
    await waitFor(async () => (await world.session(second)).state === "listening", { timeoutMs: 5_000 });
    expect(world.hypervisor.agent(vm)?.prepared).toEqual([first, second]);
  });

  test("fails with the guest's reason when nxagent can't start", async () => {
    await world.startNode();
    const vm = await world.addVm("one");
    world.hypervisor.set(vm, { failsSessions: true });
    await world.wish(vm, "running");
    const session = await world.requestSession(vm);
    await waitFor(async () => (await world.session(session)).state === "failed", { timeoutMs: 5_000 });
    expect(String((await world.session(session)).fault_text)).toContain("nxagent ended at once");
    expect(await world.state(vm)).toBe("running");
  });

  test("fails with the reason when the desktop is given up", async () => {
    await world.startNode();
    const vm = await world.addVm("one");
    world.hypervisor.set(vm, { failingStarts: 99 });
    await world.wish(vm, "running");
    const session = await world.requestSession(vm);
    await waitFor(async () => (await world.session(session)).state === "failed", { timeoutMs: 5_000 });
    expect(String((await world.session(session)).fault_text)).toContain("lxc-start ended with 1");
  });
});

describe("an agent", () => {
  test("that is lost is told of, and again when it is back; the desktop runs on", async () => {
    await world.startNode();
    const vm = await world.addVm("one");
    await world.wish(vm, "running");
    await world.reaches(vm, "running");
    const agent = world.hypervisor.agent(vm);
    agent?.detach();
    await waitFor(async () => (await world.trail(vm)).includes("agent-lost"), { timeoutMs: 3_000 });
    expect(await world.row(vm)).toMatchObject({
      state: "running",
      has_agent: false,
      fault_code: "agent-lost",
    });
    expect(world.hypervisor.isAlive(vm)).toBe(true);
  });

  test("that sends garbage after its hello costs the desktop nothing but its agent", async () => {
    await world.startNode();
    const vm = await world.addVm("one");
    await world.wish(vm, "running");
    await world.reaches(vm, "running");
    world.hypervisor.agent(vm)?.sayRaw(`${"\u0000{]".repeat(500)}\n`.repeat(40));
    await Bun.sleep(100);
    expect(await world.state(vm)).toBe("running");
    expect(world.hypervisor.isAlive(vm)).toBe(true);
  });
});

describe("a node process that was killed", () => {
  test("finds its running desktops again; they and their agents never noticed", async () => {
    const first = await world.startNode();
    const vm = await world.addVm("one");
    await world.wish(vm, "running");
    await world.reaches(vm, "running");
    first.kill();
    const second = await world.startNode();
    const isAttached = () => second.channels.read(vm)?.isAttached === true;
    expect(await waitFor(isAttached, { timeoutMs: 3_000 })).toBe(true);
    expect(world.hypervisor.life(vm)).toBe(1);
    expect(await world.state(vm)).toBe("running");
    expect((await world.trail(vm)).at(-1)).toBe("desktop-found");
  });

  test("cleans up after a desktop that died meanwhile, and starts it again", async () => {
    const first = await world.startNode();
    const vm = await world.addVm("one");
    await world.wish(vm, "running");
    await world.reaches(vm, "running");
    first.kill();
    world.hypervisor.die(vm);
    await world.startNode();
    await waitFor(async () => (await world.trail(vm)).includes("desktop-crashed"), { timeoutMs: 3_000 });
    expect(await world.reaches(vm, "running")).toBe("running");
    expect(world.hypervisor.starts).toBe(2);
  });

  test("goes on with a start that it was in the middle of", async () => {
    const first = await world.startNode();
    const vm = await world.addVm("one");
    world.hypervisor.set(vm, { bootMs: 100 });
    await world.wish(vm, "running");
    await world.reaches(vm, "starting_2");
    first.kill();
    await world.startNode();
    expect(await world.reaches(vm, "running")).toBe("running");
    expect(world.hypervisor.starts).toBe(1);
  });
});

describe("a desktop that is deleted", () => {
  test("is taken down, its home set aside, its row removed", async () => {
    const { loop } = await world.startNode();
    const vm = await world.addVm("one");
    await world.wish(vm, "running");
    await world.reaches(vm, "running");
    await world.owner.execute(sql`update vms set deleted_at = now() where id = ${vm}`);
    loop.wake(vm);
    expect(await world.reaches(vm, "unreported")).toBe("unreported");
    expect(await world.remains()).toEqual([]);
    expect(existsSync(homeFolder(world.layout, vm))).toBe(false);
    expect(await waitFor(() => !loop.list().has(vm), { timeoutMs: 2_000 })).toBe(true);
  });

  test("is removed although it never had a node", async () => {
    const { loop } = await world.startNode();
    const vm = await world.addVm("one");
    await world.owner.execute(sql`update vms set deleted_at = now() where id = ${vm}`);
    loop.wake(vm);
    const isGone = async () => Object.keys(await world.row(vm)).length === 0;
    expect(await waitFor(isGone, { timeoutMs: 3_000 })).toBe(true);
  });
});

describe("what is left behind", () => {
  test("of a clean-up that failed is cleaned up later, and said", async () => {
    await world.startNode();
    const vm = await world.addVm("one");
    await world.wish(vm, "running");
    await world.reaches(vm, "running");
    world.storage.failUnmounting(1);
    await world.wish(vm, "stopped");
    await waitFor(async () => (await world.trail(vm)).includes("clean-up-failed"), { timeoutMs: 3_000 });
    expect(await world.reaches(vm, "stopped")).toBe("stopped");
    expect(await world.remains()).toEqual([]);
  });

  test("of desktops that nobody knows is cleaned up", async () => {
    const first = await world.startNode();
    const vm = await world.addVm("one");
    await world.wish(vm, "running");
    await world.reaches(vm, "running");
    first.kill();
    world.hypervisor.die(vm);
    await world.owner.execute(sql`delete from vms where id = ${vm}`);
    await world.startNode();
    expect(await waitFor(async () => (await world.remains()).length === 0, { timeoutMs: 3_000 })).toBe(true);
  });

  test("alive of a desktop that the database doesn't know is left alone and told of", async () => {
    const first = await world.startNode();
    const vm = await world.addVm("one");
    await world.wish(vm, "running");
    await world.reaches(vm, "running");
    first.kill();
    await world.owner.execute(sql`delete from vms where id = ${vm}`);
    const { loop } = await world.startNode();
    expect(await waitFor(() => loop.strangers.includes(vm), { timeoutMs: 3_000 })).toBe(true);
    expect(world.hypervisor.isAlive(vm)).toBe(true);
  });
});

describe("shutting the box down", () => {
  test("stops every desktop gracefully and keeps their wishes", async () => {
    const { loop } = await world.startNode();
    const vms = [await world.addVm("one"), await world.addVm("two")];
    for (const vm of vms) await world.wish(vm, "running");
    for (const vm of vms) await world.reaches(vm, "running");
    expect(await loop.stopDesktops(5_000)).toBe(true);
    expect(await world.remains()).toEqual([]);
    for (const vm of vms)
      expect(await world.row(vm)).toMatchObject({ state: "stopped", wish: "running", tries: 0 });
  });
});
