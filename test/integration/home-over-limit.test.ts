import { afterEach, beforeEach, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { waitFor } from "../../src/lib/wait.ts";
import { NodeWorld } from "../support/node-world.ts";

let world: NodeWorld;
beforeEach(async () => {
  world = await NodeWorld.create();
});
afterEach(() => world.end());

test("a home that can't keep to its limit is told in the trail, and the desktop starts", async () => {
  const { rows, storage } = world;
  storage.fillHomes(900);
  await world.startNode();
  const vm = await rows.addVm("one");
  await rows.owner.execute(sql`update osfs set home_mb = 400`);
  await rows.wish(vm, "running");
  expect(await rows.reaches(vm, "running")).toBe("running");
  const readTold = () =>
    rows.owner.execute<{ text: string; detail: object }>(
      sql`select text, detail from vm_events where vm_id = ${vm} and code = 'home-over-limit'`,
    );
  const told = await waitFor(async () => (await readTold())[0], { timeoutMs: 15_000 });
  expect(told?.detail).toEqual({ sizeMb: 900, limitMb: 400 });
  expect(told?.text).toContain("stays 900 MB large");
});

test("a home within its limit is not", async () => {
  const { rows } = world;
  await world.startNode();
  const vm = await rows.addVm("one");
  await rows.wish(vm, "running");
  expect(await rows.reaches(vm, "running")).toBe("running");
  expect(await rows.trail(vm)).not.toContain("home-over-limit");
});
