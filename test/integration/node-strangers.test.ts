/** Desktops that run where the database doesn't place them, with the real loop: left alone, told of, ended when one is named. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { asId, type VmId } from "../../src/domain/ids.ts";
import { waitFor } from "../../src/lib/wait.ts";
import type { NodeLoop } from "../../src/node/loop.ts";
import { endStranger } from "../../src/service/node/end-stranger.ts";
import type { NodeDatabase } from "../support/node-database.ts";
import { NodeWorld } from "../support/node-world.ts";

let world: NodeWorld;
let rows: NodeDatabase;
let loop: NodeLoop;

beforeEach(async () => {
  world = await NodeWorld.create();
  rows = world.rows;
  ({ loop } = await world.startNode());
});
afterEach(() => world.end());

const context = () => ({ db: rows.owner, actor: { kind: "system", what: "test" } }) as const;
const run = <Row extends Record<string, unknown>>(statement: ReturnType<typeof sql>) =>
  rows.owner.execute<Row>(statement);
const settles = (test: () => boolean | Promise<boolean>) => waitFor(test, { timeoutMs: 10_000, everyMs: 10 });
const isAlive = async (vmId: VmId) => (await world.hypervisor.observe()).get(vmId)?.isAlive === true;
const texts = async () =>
  (
    await run<{ text: string }>(
      sql`select detail->>'text' as text from audit_log where action = 'node.note-stranger-ended' order by id`,
    )
  ).map(({ text }) => text);
const wishes = async () =>
  (await run<{ wished: number[] }>(sql`select strangers_to_end as wished from nodes`))[0]?.wished;

/** Runs, and then the database knows nothing of it any more, as after a promotion that lost its last moments. */
async function startStranger(name: string): Promise<VmId> {
  const vmId = await rows.addVm(name);
  await rows.wish(vmId, "running");
  expect(await rows.reaches(vmId, "running")).toBe("running");
  for (const table of ["vm_reports", "vm_events", "sessions"])
    await run(sql`delete from ${sql.identifier(table)} where vm_id = ${vmId}`);
  await run(sql`delete from vms where id = ${vmId}`);
  loop.wake();
  expect(await settles(() => loop.strangers.includes(vmId))).toBe(true);
  await tellStrangers();
  return vmId;
}

/** As the box's next report does. */
const tellStrangers = () =>
  run(sql`insert into node_reports (node_id, state, started_at, facts)
    values (${world.nodeId}, 'running', qvd_now(), ${JSON.stringify({ strangers: loop.strangers })}::text::jsonb)
    on conflict (node_id) do update set facts = excluded.facts`);

describe("a desktop of which the database knows nothing", () => {
  test("is left alone, and of two the one that is named is ended and cleaned up", async () => {
    const [one, two] = [await startStranger("one"), await startStranger("two")];
    const { looks } = world;
    loop.wake();
    expect(await settles(() => world.looks > looks + 1)).toBe(true);
    expect([await isAlive(one), await isAlive(two)]).toEqual([true, true]);

    await endStranger(context(), { nodeId: world.nodeId, vmId: one });
    loop.wake();
    expect(await settles(async () => !(await isAlive(one)))).toBe(true);
    expect(await settles(async () => (await wishes())?.length === 0)).toBe(true);
    expect(await settles(() => Bun.deepEquals(loop.strangers, [two]))).toBe(true);
    expect(await isAlive(two)).toBe(true);
    const hasRemains = async () => (await world.remains()).some((what) => what.endsWith(` ${one}`));
    expect(await settles(async () => !(await hasRemains()))).toBe(true);
    const audit = await run<{ action: string; actor: string; text: string | null }>(
      sql`select action, actor, detail->>'text' as text from audit_log where action like 'node.%stranger%' order by id`,
    );
    expect([...audit]).toEqual([
      { action: "node.end-stranger", actor: "system:test", text: null },
      {
        action: "node.note-stranger-ended",
        actor: "node:box",
        text: `Desktop ${one} was ended by its own shutdown; its home was left as it is.`,
      },
    ]);
  }, 30_000);

  test("can be named only where its node tells of it, and only there", async () => {
    const own = await rows.addVm("own");
    await rows.wish(own, "running");
    expect(await rows.reaches(own, "running")).toBe("running");
    const vmId = await startStranger("one");
    const elsewhere = await rows.addNode("other");
    const refused = (input: Parameters<typeof endStranger>[1]) =>
      endStranger(context(), input).then(
        () => "",
        (error) => `${error.message}`,
      );
    expect(await refused({ nodeId: elsewhere, vmId })).toContain("node other tells of no desktop");
    expect(await refused({ nodeId: world.nodeId, vmId: asId<VmId>(vmId + 1) })).toContain(
      `it tells of ${vmId}`,
    );
    expect(await refused({ nodeId: world.nodeId, vmId: own })).toContain("qvd vm stop");
    expect(await wishes()).toEqual([]);
  }, 30_000);

  test("that the database knows again by then is not ended", async () => {
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    expect(await rows.reaches(vm, "running")).toBe("running");
    // A wish of before, as it stands in a database that was restored.
    await run(sql`update nodes set strangers_to_end = array[${vm}::int] where id = ${world.nodeId}`);
    await startStranger("other");
    expect(await settles(async () => (await wishes())?.length === 0)).toBe(true);
    expect(await isAlive(vm)).toBe(true);
    expect(await texts()).toEqual([`Desktop ${vm} was not ended: the site places it here by now.`]);
  }, 30_000);

  test("that ended by itself before is wished ended no longer, so that a later one of its number is not", async () => {
    const vm = await startStranger("one");
    world.hypervisor.die(vm);
    loop.wake();
    expect(await settles(() => loop.strangers.length === 0)).toBe(true);
    // Its node's report tells of it still.
    await endStranger(context(), { nodeId: world.nodeId, vmId: vm });
    loop.wake();
    expect(await settles(async () => (await wishes())?.length === 0)).toBe(true);
    expect(await texts()).toEqual([`Desktop ${vm} was not ended: it doesn't run here any more.`]);
  }, 30_000);
});
