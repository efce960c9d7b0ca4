/** Emptying a node with the real loop: what leaves, what stays, and what the desktops are told. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import type { NodeId, VmId } from "../../src/domain/ids.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { drainNode } from "../../src/service/node/drain.ts";
import { undrainNode } from "../../src/service/node/undrain.ts";
import type { NodeDatabase } from "../support/node-database.ts";
import { NodeWorld } from "../support/node-world.ts";

let world: NodeWorld;
let rows: NodeDatabase;
let other: NodeId;
let wake: () => void;

beforeEach(async () => {
  world = await NodeWorld.create();
  rows = world.rows;
  other = await rows.addNode("other");
  // Everything begins here.
  await rows.owner.execute(sql`update nodes set is_blocked = true where id = ${other}`);
  const { loop } = await world.startNode();
  wake = () => loop.wake();
});
afterEach(() => world.end());

const context = () => ({ db: rows.owner, actor: { kind: "system", what: "test" } }) as const;
const run = (statement: ReturnType<typeof sql>) => rows.owner.execute(statement);
const nodeOf = async (vmId: VmId) => (await run(sql`select node_id from vms where id = ${vmId}`))[0]?.node_id;
const settles = (test: () => Promise<boolean>) => waitFor(test, { timeoutMs: 15_000, everyMs: 10 });

async function startOne(name: string): Promise<VmId> {
  const vm = await rows.addVm(name);
  await rows.wish(vm, "running");
  expect(await rows.reaches(vm, "running")).toBe("running");
  expect(await nodeOf(vm)).toBe(world.nodeId);
  return vm;
}

async function share(): Promise<void> {
  await run(sql`update nodes set shared_id = 'nfs'`);
}

async function drain(mode: "finish" | "move") {
  await run(sql`update nodes set is_blocked = false where id = ${other}`);
  const drained = await drainNode(context(), { nodeId: world.nodeId, mode });
  wake();
  return drained;
}

describe("draining a node by moving", () => {
  test("stops each desktop gracefully and gives it to another node, its wish standing", async () => {
    await share();
    const vms = [await startOne("one"), await startOne("two")];
    expect(await drain("move")).toEqual({ leaving: 2, staying: 0 });
    for (const vm of vms) {
      expect(await settles(async () => (await nodeOf(vm)) === other)).toBe(true);
      const trail = await rows.trail(vm);
      expect(trail.slice(trail.indexOf("node-drained"))).toEqual([
        "node-drained",
        "stop-taken",
        "poweroff-answered",
        "desktop-stopped",
        "desktop-released",
      ]);
      expect(trail).toContain("desktop-released");
      expect(trail).not.toContain("kill-sent");
      const [row] = await run(sql`select wish, epoch::int from vms where id = ${vm}`);
      expect(row).toEqual({ wish: "running", epoch: 3 } as never);
    }
    expect(world.ports.size).toBe(0);
  });

  test("is refused while no other takes any, naming each with its reason", async () => {
    const away = await rows.addNode("away");
    await run(sql`delete from leases where node_id = ${away}`);
    const refused = await drainNode(context(), { nodeId: world.nodeId, mode: "move" }).catch(
      (error) => error,
    );
    expect(refused.message).toContain("(other: it is blocked; away: it is down)");
    await run(sql`delete from nodes where id in (${other}, ${away})`);
    const alone = await drainNode(context(), { nodeId: world.nodeId, mode: "move" }).catch((error) => error);
    expect(alone.message).toContain("no other takes its desktops: there is none");
  });

  test("leaves those whose homes lie on its own disk, running", async () => {
    const vm = await startOne("one");
    expect(await drain("move")).toEqual({ leaving: 0, staying: 1 });
    wake();
    await rows.wish(vm, "running");
    expect(await rows.state(vm)).toBe("running");
    expect(await nodeOf(vm)).toBe(world.nodeId);
    const [told] = await run(sql`select text from vm_events where vm_id = ${vm} and code = 'node-drained'`);
    expect(told?.text).toContain("can't leave: its home lies on that node's own disk");
  });
});

describe("draining a node by finishing", () => {
  test("lets what runs go on, and what was stopped leave", async () => {
    await share();
    const [one, two] = [await startOne("one"), await startOne("two")];
    await drain("finish");
    await rows.wish(one, "stopped");
    expect(await settles(async () => (await nodeOf(one)) === null)).toBe(true);
    expect(await rows.state(two)).toBe("running");
    await rows.wish(one, "running");
    wake();
    expect(await settles(async () => (await nodeOf(one)) === other)).toBe(true);
  });

  test("starts nothing that can't leave, says why, and starts it when the drain has ended", async () => {
    const vm = await startOne("one");
    await drain("finish");
    await rows.wish(vm, "stopped");
    expect(await rows.reaches(vm, "stopped")).toBe("stopped");
    await rows.wish(vm, "running");
    const refused = async () => {
      const found = await run(
        sql`select text from vm_events where vm_id = ${vm} and code = 'start-given-up'`,
      );
      return found.some(({ text }) => String(text).includes("Its node is being drained"));
    };
    expect(await settles(refused)).toBe(true);
    expect(await nodeOf(vm)).toBe(world.nodeId);
    await undrainNode(context(), { nodeId: world.nodeId });
    await rows.wish(vm, "running");
    expect(await rows.reaches(vm, "running")).toBe("running");
  });
});
