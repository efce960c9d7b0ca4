/** What the loop reads when nothing happens, and that a lost wake is made good for nonetheless. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { listNodeDesktops } from "../../src/db/queries/node-desktops.ts";
import { readNodeNews } from "../../src/db/queries/node-news.ts";
import type { VmId } from "../../src/domain/ids.ts";
import { waitFor } from "../../src/lib/wait.ts";
import type { NodeDatabase } from "../support/node-database.ts";
import { NodeWorld } from "../support/node-world.ts";

let world: NodeWorld;
let rows: NodeDatabase;

beforeEach(async () => {
  world = await NodeWorld.create();
  world.fullPassMs = 60_000;
  rows = world.rows;
});
afterEach(async () => {
  await world.end();
});

async function runningVm(name: string): Promise<VmId> {
  const vm = await rows.addVm(name);
  await rows.wish(vm, "running");
  expect(await rows.reaches(vm, "running")).toBe("running");
  return vm;
}

describe("a box on which nothing happens", () => {
  test("asks for news in one row, and reads no desktop", async () => {
    await world.startNode();
    for (const name of ["one", "two", "three"]) await runningVm(name);
    // The news of the starts are read once more; then it is quiet.
    const isQuiet = async () => {
      const before = world.looks;
      await Bun.sleep(500);
      return world.looks === before;
    };
    expect(await waitFor(isQuiet, { timeoutMs: 10_000 })).toBe(true);
  });
});

describe("a desktop that something is being done to", () => {
  test("isn't looked at before that has ended", async () => {
    const { loop } = await world.startNode();
    const other = await runningVm("other");
    const vm = await rows.addVm("slow");
    world.hypervisor.set(vm, { startMs: 1_000 });
    await rows.wish(vm, "running");
    const isBegun = () => loop.list().get(vm)?.running?.action === "start-container";
    expect(await waitFor(isBegun, { timeoutMs: 10_000, everyMs: 2 })).toBe(true);
    for (const wake of [() => loop.stir(vm), () => loop.wake(vm)]) {
      world.looked.length = 0;
      wake();
      loop.stir(other);
      const isLooked = () => world.looked.flat().includes(other);
      expect(await waitFor(isLooked, { timeoutMs: 10_000, everyMs: 2 })).toBe(true);
    }
    // As long as it takes: on a busy machine the start may be over by now.
    if (isBegun()) expect(world.looked.flat()).not.toContain(vm);
    expect(await rows.reaches(vm, "running")).toBe("running");
    expect(world.looked.flat()).toContain(vm);
  });
});

describe("a wake that was lost", () => {
  test("of a wish is made good for by the next question", async () => {
    await world.startNode();
    const vm = await runningVm("one");
    await Bun.sleep(300);
    await rows.owner.execute(
      sql`update vms set wish = 'stopped', wish_generation = wish_generation + 1 where id = ${vm}`,
    );
    expect(await rows.reaches(vm, "stopped")).toBe("stopped");
  });

  test("of a new desktop likewise", async () => {
    await world.startNode();
    await runningVm("one");
    await Bun.sleep(300);
    const vm = await rows.addVm("two");
    await rows.owner.execute(sql`update vms set wish = 'running', wish_generation = 1 where id = ${vm}`);
    expect(await rows.reaches(vm, "running")).toBe("running");
  });
});

describe("a wish that nobody was woken for", () => {
  test("is seen by the answer to the next report, though nothing is read in between", async () => {
    world.newsMs = 60_000;
    await world.startNode();
    const vm = await rows.addVm("one");
    // Somebody changes their mind as soon as the start is told of.
    await rows.owner.execute(sql`
      create function change_mind() returns trigger language plpgsql security definer as $$ begin
        update vms set wish = 'stopped', wish_generation = wish_generation + 1 where id = new.vm_id;
        return null;
      end $$`);
    await rows.owner.execute(sql`create trigger change_mind after insert or update on vm_reports for each row
      when (new.state = 'starting_1' and new.incarnation = 0) execute function change_mind()`);
    await rows.wish(vm, "running");
    expect(await rows.reaches(vm, "stopped")).toBe("stopped");
    const trail = await rows.owner.execute(sql`select code from vm_events where vm_id = ${vm} order by id`);
    // How far the start had come by then depends on how busy the machine is.
    expect([trail.at(0)?.code, trail.at(-1)?.code]).toEqual(["start-taken", "desktop-stopped"]);
    expect(trail.map(({ code }) => code)).not.toContain("desktop-running");
  });
});

describe("the news of a node", () => {
  const readAll = () => listNodeDesktops(rows.node, world.nodeId);
  const newsSince = async (known: Awaited<ReturnType<typeof readAll>>) =>
    (await readNodeNews(rows.node, world.nodeId, known)).desktops.map(({ name }) => name);

  test("are the desktops of which anything is wished anew, as they are then", async () => {
    const [one, two] = [await rows.addVm("one"), await rows.addVm("two")];
    await rows.owner.execute(sql`update vms set node_id = ${world.nodeId}, epoch = 1`);
    const changes: [ReturnType<typeof sql>, string[]][] = [
      [sql`update vms set wish_generation = wish_generation + 1 where id = ${one}`, ["one"]],
      [sql`update vms set is_blocked = true where id = ${two}`, ["two"]],
      [sql`update vms set di_tag = 'next' where id = ${two}`, ["two"]],
      [sql`update vms set expires_hard_at = now() where id = ${one}`, ["one"]],
      [sql`update vms set epoch = epoch + 1 where id = ${one}`, ["one"]],
      [sql`update nodes set drain = 'finish' where id = ${world.nodeId}`, ["one", "two"]],
      [sql`update nodes set drain = null where id = ${world.nodeId}`, ["one", "two"]],
      [sql`update vms set deleted_at = now() where id = ${two}`, ["two"]],
      [sql`update vms set name = name`, []],
    ];
    for (const [change, expected] of changes) {
      const known = await readAll();
      expect(await newsSince(known)).toEqual([]);
      await rows.owner.execute(change);
      expect(await newsSince(known)).toEqual(expected);
    }
    const known = await readAll();
    await rows.requestSession(one);
    expect(await newsSince(known)).toEqual(["one"]);
    expect(await readNodeNews(rows.node, world.nodeId, known)).toMatchObject({ present: [one, two] });
  });

  test("are those that the box has never read, in the order of their wishes", async () => {
    for (const name of ["one", "two", "three"]) await rows.addVm(name);
    await rows.owner.execute(
      sql`update vms set node_id = ${world.nodeId}, wished_at = now() - id * interval '1 s'`,
    );
    expect(await newsSince([])).toEqual(["three", "two", "one"]);
    expect(await readNodeNews(rows.node, world.nodeId, [])).toMatchObject({
      desktops: [...(await readAll())].map(({ vmId, wishMarks }) => ({ vmId, wishMarks })),
    });
  });

  test("say whether a desktop waits for a node, and are empty where there is none", async () => {
    const vm = await rows.addVm("one");
    const read = () => readNodeNews(rows.node, world.nodeId, []);
    expect(await read()).toEqual({ present: [], desktops: [], hasUnplaced: false });
    await rows.wish(vm, "running");
    expect((await read()).hasUnplaced).toBe(true);
  });
});
