import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { sql } from "drizzle-orm";
import { homeFolder } from "../../src/domain/node/layout.ts";
import { waitFor } from "../../src/lib/wait.ts";
import type { NodeDatabase } from "../support/node-database.ts";
import { NodeWorld } from "../support/node-world.ts";

let world: NodeWorld;
let rows: NodeDatabase;

beforeEach(async () => {
  world = await NodeWorld.create();
  rows = world.rows;
});
afterEach(async () => {
  await world.end();
});

describe("an agent", () => {
  test("that is lost is told of, and again when it is back; the desktop runs on", async () => {
    await world.startNode();
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    await rows.reaches(vm, "running");
    const agent = world.hypervisor.agent(vm);
    agent?.detach();
    await rows.tells(vm, "agent-lost");
    await waitFor(async () => (await rows.row(vm)).fault_code === "agent-lost", { timeoutMs: 15_000 });
    expect(await rows.row(vm)).toMatchObject({
      state: "running",
      has_agent: false,
      fault_code: "agent-lost",
    });
    expect(world.hypervisor.isAlive(vm)).toBe(true);
  });

  test("that sends garbage after its hello costs the desktop nothing but its agent", async () => {
    await world.startNode();
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    await rows.reaches(vm, "running");
    world.hypervisor.agent(vm)?.sayRaw(`${"\u0000{]".repeat(500)}\n`.repeat(40));
    await Bun.sleep(100);
    expect(await rows.state(vm)).toBe("running");
    expect(world.hypervisor.isAlive(vm)).toBe(true);
  });
});

describe("a node process that was killed", () => {
  test("finds its running desktops again; they and their agents never noticed", async () => {
    const first = await world.startNode();
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    await rows.reaches(vm, "running");
    first.kill();
    const second = await world.startNode();
    const isAttached = () => second.channels.read(vm)?.isAttached === true;
    expect(await waitFor(isAttached, { timeoutMs: 15_000 })).toBe(true);
    expect(world.hypervisor.life(vm)).toBe(1);
    expect(await rows.state(vm)).toBe("running");
    const found = async () => (await rows.trail(vm)).includes("desktop-found");
    expect(await waitFor(found, { timeoutMs: 15_000 })).toBe(true);
  });

  test("lets its running desktops through again where the packet filter was emptied meanwhile", async () => {
    const first = await world.startNode();
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    await rows.reaches(vm, "running");
    first.kill();
    world.ports.clear();
    await world.startNode();
    expect([...world.ports]).toEqual([vm]);
    expect(world.hypervisor.life(vm)).toBe(1);
  });

  test("cleans up after a desktop that died meanwhile, and starts it again", async () => {
    const first = await world.startNode();
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    await rows.reaches(vm, "running");
    first.kill();
    world.hypervisor.die(vm);
    await world.startNode();
    await rows.tells(vm, "desktop-crashed");
    expect(await rows.reaches(vm, "running")).toBe("running");
    expect(world.hypervisor.starts).toBe(2);
  });

  test("goes on with a start that it was in the middle of", async () => {
    const first = await world.startNode();
    const vm = await rows.addVm("one");
    world.hypervisor.set(vm, { bootMs: 100 });
    await rows.wish(vm, "running");
    await rows.reaches(vm, "starting_2");
    first.kill();
    await world.startNode();
    expect(await rows.reaches(vm, "running")).toBe("running");
    expect(world.hypervisor.starts).toBe(1);
  });
});

describe("a desktop that is deleted", () => {
  test("is taken down, its home set aside, its row removed", async () => {
    const { loop } = await world.startNode();
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    await rows.reaches(vm, "running");
    await rows.deleteVm(vm);
    expect(await rows.reaches(vm, "unreported")).toBe("unreported");
    expect(await world.remains()).toEqual([]);
    expect(existsSync(homeFolder(world.layout, vm))).toBe(false);
    expect(await waitFor(() => !loop.list().has(vm), { timeoutMs: 15_000 })).toBe(true);
  });

  test("is removed although it never had a node", async () => {
    await world.startNode();
    const vm = await rows.addVm("one");
    await rows.deleteVm(vm);
    const isGone = async () => Object.keys(await rows.row(vm)).length === 0;
    expect(await waitFor(isGone, { timeoutMs: 15_000 })).toBe(true);
  });
});

describe("what is left behind", () => {
  test("of a clean-up that failed is cleaned up later, and said", async () => {
    await world.startNode();
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    await rows.reaches(vm, "running");
    world.storage.failUnmounting(1);
    await rows.wish(vm, "stopped");
    await rows.tells(vm, "clean-up-failed");
    expect(await rows.reaches(vm, "stopped")).toBe("stopped");
    expect(await world.remains()).toEqual([]);
  });

  test("after a start of the machine are no crash of the desktop's, however early the node is woken", async () => {
    const first = await world.startNode();
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    await rows.reaches(vm, "running");
    await first.end();
    world.hypervisor.die(vm);
    await world.startNode({ isFreshBoot: true });
    await rows.tells(vm, "desktop-ended");
    expect(await rows.reaches(vm, "running")).toBe("running");
    expect(await rows.trail(vm)).not.toContain("desktop-crashed");
  });

  test("of desktops that nobody knows is cleaned up", async () => {
    const first = await world.startNode();
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    await rows.reaches(vm, "running");
    await first.end();
    world.hypervisor.die(vm);
    await rows.owner.execute(sql`delete from vms where id = ${vm}`);
    await world.startNode();
    expect(await waitFor(async () => (await world.remains()).length === 0, { timeoutMs: 15_000 })).toBe(true);
  });

  test("alive of a desktop that the database doesn't know is left alone and told of", async () => {
    const first = await world.startNode();
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    await rows.reaches(vm, "running");
    await first.end();
    await rows.owner.execute(sql`delete from vms where id = ${vm}`);
    const { loop } = await world.startNode();
    expect(await waitFor(() => loop.strangers.includes(vm), { timeoutMs: 15_000 })).toBe(true);
    expect(world.hypervisor.isAlive(vm)).toBe(true);
  });
});

describe("shutting the box down", () => {
  test("stops every desktop gracefully and keeps their wishes", async () => {
    const { loop } = await world.startNode();
    const vms = [await rows.addVm("one"), await rows.addVm("two")];
    for (const vm of vms) await rows.wish(vm, "running");
    for (const vm of vms) await rows.reaches(vm, "running");
    expect(await loop.stopDesktops(20_000)).toBe(true);
    expect(await world.remains()).toEqual([]);
    for (const vm of vms)
      expect(await rows.row(vm)).toMatchObject({ state: "stopped", wish: "running", tries: 0 });
  });
});
