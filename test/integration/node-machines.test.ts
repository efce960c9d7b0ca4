/** What the loop does for virtual machines, over a real database: what differs from containers. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import type { VmId } from "../../src/domain/ids.ts";
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

async function makeMachines(hasAgent: boolean, kind = "disk"): Promise<void> {
  await rows.owner.execute(sql`UPDATE osfs SET hypervisor = 'kvm', has_agent = ${hasAgent}`);
  await rows.owner.execute(sql`UPDATE dis SET kind = ${kind}`);
}

async function wished(): Promise<VmId> {
  const vm = await rows.addVm("one");
  await rows.wish(vm, "running");
  return vm;
}

describe("a machine with our agent", () => {
  test("starts from the image's file as it is, and runs when its agent answers", async () => {
    await makeMachines(true);
    await world.startNode();
    const vm = await wished();
    expect(await rows.reaches(vm, "running")).toBe("running");
    expect(await rows.trail(vm)).not.toContain("image-unpack-started");
    expect(await rows.trail(vm)).toContain("agent-connected");
  });

  test("is not started from an archive, and is told why", async () => {
    await makeMachines(true, "archive");
    await world.startNode();
    const vm = await wished();
    expect(await rows.tells(vm, "start-given-up")).toBe(true);
    expect(await rows.textOf(vm, "start-given-up")).toContain("need a disk");
  });
});

describe("a container", () => {
  test("is not started from a disk, and is told why", async () => {
    await rows.owner.execute(sql`UPDATE dis SET kind = 'disk'`);
    await world.startNode();
    const vm = await wished();
    expect(await rows.tells(vm, "start-given-up")).toBe(true);
    expect(await rows.textOf(vm, "start-given-up")).toContain("need an archive");
  });
});

describe("a machine without our agent", () => {
  test("runs as soon as it lives, and nobody claims that an agent answered", async () => {
    await makeMachines(false);
    await world.startNode();
    const vm = await wished();
    expect(await rows.reaches(vm, "running")).toBe("running");
    expect(await rows.trail(vm)).not.toContain("agent-connected");
    expect(await rows.textOf(vm, "desktop-running")).toContain("no agent");
  });

  test("gets no session: whoever asks is told where it can be seen", async () => {
    await makeMachines(false);
    await world.startNode();
    const vm = await wished();
    await rows.reaches(vm, "running");
    const session = await rows.requestSession(vm);
    expect(await rows.sessionReaches(session, "failed")).toBe(true);
    expect(JSON.stringify(await rows.session(session))).toContain("console");
  });

  test("waits for whoever works at its console, without an order to anybody inside", async () => {
    await makeMachines(false);
    await world.startNode();
    const vm = await wished();
    await rows.reaches(vm, "running");
    const session = await rows.requestSession(vm, { access: "console" });
    expect(await rows.sessionReaches(session, "listening")).toBe(true);
  });

  test("is stopped from outside, and is found again by a new node", async () => {
    await makeMachines(false);
    const first = await world.startNode();
    const vm = await wished();
    await rows.reaches(vm, "running");
    first.kill();
    await world.startNode();
    expect(await rows.tells(vm, "desktop-found")).toBe(true);
    await rows.wish(vm, "stopped");
    expect(await rows.reaches(vm, "stopped")).toBe("stopped");
    expect(await rows.trail(vm)).toContain("halt-sent");
    expect(await world.remains()).toEqual([]);
  });
});
