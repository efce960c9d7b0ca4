/** What an OSF keeps, from its row to the desktop's disks, and what the trail says when the storage refuses. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { sql } from "drizzle-orm";
import type { VmId } from "../../src/domain/ids.ts";
import { vmLayout } from "../../src/domain/node/layout.ts";
import { AppError } from "../../src/lib/errors.ts";
import { NodeWorld } from "../support/node-world.ts";

let world: NodeWorld;
beforeEach(async () => {
  world = await NodeWorld.create();
  await world.rows.tag(await world.rows.addImage("1.0"));
  await world.startNode();
});
afterEach(() => world.end());

async function restart(vm: VmId): Promise<void> {
  for (const [wish, state] of [
    ["stopped", "stopped"],
    ["running", "running"],
  ] as const) {
    await world.rows.wish(vm, wish);
    expect(await world.rows.reaches(vm, state)).toBe(state);
  }
}

test.each([
  ["nothing", [false, false, false]],
  ["home", [true, false, false]],
  ["folders", [true, true, false]],
  ["everything", [true, false, true]],
] as const)("an OSF that keeps %s does so over a restart", async (persistence, kept) => {
  await world.rows.owner.execute(
    sql`update osfs set persistence = ${persistence}, kept_folders = '{/var/log}', home_mb = 100`,
  );
  const vm = await world.rows.addVm("one");
  await world.rows.wish(vm, "running");
  expect(await world.rows.reaches(vm, "running")).toBe("running");
  const { root, home, kept: folders } = vmLayout(world.layout, vm);
  const notes = [`${home}/note`, `${folders}/var%2Flog/note`, `${root}/note`];
  for (const note of notes) if (persistence === "folders" || note !== notes[1]) writeFileSync(note, "mine");
  await restart(vm);
  expect(notes.map((note) => existsSync(note))).toEqual([...kept]);
});

test("a home that another box has is told in the trail, and had once that box lets go", async () => {
  const text = "Opening 1.img: its lock is held, probably by the box two.";
  world.storage.failMounting(1, new AppError("conflict", text));
  const vm = await world.rows.addVm("one");
  await world.rows.wish(vm, "running");
  expect(await world.rows.reaches(vm, "running")).toBe("running");
  expect(await world.rows.textOf(vm, "start-retry-planned")).toContain("the box two");
});
