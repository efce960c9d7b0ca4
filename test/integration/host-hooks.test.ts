/** The box's own hooks around a desktop's life, with real programs and the real loop; the containers are played. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { sql } from "drizzle-orm";
import type { VmId } from "../../src/domain/ids.ts";
import { vmLayout } from "../../src/domain/node/layout.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { GuestHookNews } from "../../src/node/hooks/guest-hook-news.ts";
import { HOST_HOOKS } from "../../src/node/hooks/host-hooks.ts";
import type { NodeDatabase } from "../support/node-database.ts";
import { NodeWorld } from "../support/node-world.ts";

let world: NodeWorld;
let rows: NodeDatabase;
let folder: string;

beforeEach(async () => {
  world = await NodeWorld.create();
  rows = world.rows;
  folder = `${world.folder}/hooks`;
  mkdirSync(folder);
  mkdirSync(world.layout.logsFolder, { recursive: true });
});
afterEach(() => world.end());

function hook(name: string, body: string, mode = 0o755): void {
  writeFileSync(`${folder}/${name}`, `#!/bin/sh\n${body}\n`);
  chmodSync(`${folder}/${name}`, mode);
}
const said = () => (existsSync(`${folder}/said`) ? readFileSync(`${folder}/said`, "utf8") : "");
const reads = (text: string) => waitFor(() => said() === text, { timeoutMs: 15_000, everyMs: 10 });
async function texts(vmId: VmId, code: string): Promise<readonly string[]> {
  const found = await rows.owner.execute<{ text: string }>(
    sql`select text from vm_events where vm_id = ${vmId} and code = ${code} order by id`,
  );
  return found.map(({ text }) => text);
}

describe("the box's hooks", () => {
  test("run around a desktop's life, in their order", async () => {
    for (const name of HOST_HOOKS) hook(name, `echo ${name} >> ${folder}/said`);
    await world.startNode({ hooksFolder: folder });
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    expect(await rows.reaches(vm, "running")).toBe("running");
    expect(await reads("prestart\npoststart\n")).toBe(true);
    await rows.wish(vm, "stopped");
    expect(await rows.reaches(vm, "stopped")).toBe("stopped");
    expect(await reads("prestart\npoststart\npoststop\n")).toBe(true);
  });

  test("are told which desktop, with its properties and the node's, in pairs", async () => {
    hook("prestart", `while [ $# -gt 1 ]; do echo "$1=$2" >> ${folder}/said; shift 2; done; [ $# = 0 ]`);
    const vm = await rows.addVm("one two");
    await rows.owner.execute(sql`insert into properties (node_id, key, value) values (${world.nodeId}, 'rack', '7'),
      (${world.nodeId}, 'site', 'of the node')`);
    await rows.owner.execute(sql`insert into properties (user_id, key, value) values (${rows.userId}, 'site', 'of the user'),
      (${rows.userId}, 'printer', 'of the user'),
      (${rows.userId}, 'id', 'not mine')`);
    await world.startNode({ hooksFolder: folder });
    await rows.wish(vm, "running");
    expect(await rows.reaches(vm, "running")).toBe("running");
    const pairs = said().trim().split("\n");
    expect(pairs).toContain("rack=7");
    expect(pairs).toContain("printer=of the user");
    expect(pairs).toContain("site=of the node");
    expect(pairs).toContain(`id=${vm}`);
    expect(pairs).toContain("name=one two");
    expect(pairs).toContain("hook=prestart");
    // These containers are played: nothing is mounted.
    expect(pairs).toContain("use_overlay=");
    expect(pairs).toContain(`os_rootfs=${vmLayout(world.layout, vm).root}`);
    expect(pairs.some((pair) => /^ip=10\.93\.0\./.test(pair))).toBe(true);
    expect(pairs.some((pair) => pair.startsWith("mac="))).toBe(true);
  });

  test("give a start up when prestart fails, with its last words as the reason", async () => {
    hook("prestart", "echo 'no licence left' >&2; exit 4");
    await world.startNode({ hooksFolder: folder });
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    expect(
      await waitFor(async () => (await texts(vm, "start-given-up")).length > 0, { timeoutMs: 15_000 }),
    ).toBe(true);
    expect((await texts(vm, "start-failed")).join()).toContain("ended with 4: no licence left");
    expect(await rows.trail(vm)).not.toContain("container-started");
  });

  test("only tell of it when poststart fails", async () => {
    hook("poststart", "exit 1");
    await world.startNode({ hooksFolder: folder });
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    expect(await rows.reaches(vm, "running")).toBe("running");
    expect(
      await waitFor(async () => (await texts(vm, "hook-failed")).length > 0, { timeoutMs: 15_000 }),
    ).toBe(true);
    expect(await rows.state(vm)).toBe("running");
  });

  test("are not run where others than root may write them", async () => {
    hook("prestart", `echo run >> ${folder}/said`, 0o777);
    await world.startNode({ hooksFolder: folder });
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    expect(
      await waitFor(async () => (await texts(vm, "start-failed")).length > 0, { timeoutMs: 15_000 }),
    ).toBe(true);
    expect((await texts(vm, "start-failed"))[0]).toContain("others than root may write it");
    expect(said()).toBe("");
  });

  test("are not run where others than root may put some into their folder", async () => {
    hook("prestart", `echo run >> ${folder}/said`);
    chmodSync(folder, 0o777);
    await world.startNode({ hooksFolder: folder });
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    expect(
      await waitFor(async () => (await texts(vm, "start-failed")).length > 0, { timeoutMs: 15_000 }),
    ).toBe(true);
    expect((await texts(vm, "start-failed"))[0]).toContain("may write its folder");
    expect(said()).toBe("");
  });
});

describe("an image's failing hooks", () => {
  test("are in the trail, and a desktop that tells of thousands is believed a few", async () => {
    const vm = await rows.addVm("one");
    await rows.owner.execute(sql`update vms set node_id = ${world.nodeId} where id = ${vm}`);
    let written = 0;
    const news = new GuestHookNews({
      db: rows.node,
      nodeId: world.nodeId,
      clock: systemClock,
      log: silentLog(),
      onWritten: () => {
        written++;
      },
    });
    for (let n = 0; n < 3_000; n++)
      news.take(vm, { type: "hook-failed", hook: "connect", text: `failed ${n}` });
    expect(await waitFor(() => written === 10, { timeoutMs: 15_000 })).toBe(true);
    const told = await texts(vm, "hook-failed");
    expect(told).toHaveLength(10);
    expect([...told].sort()[0]).toBe("failed 0");
  });

  test("have channels of the session beside them", async () => {
    const vm = await rows.addVm("one");
    await rows.owner.execute(sql`update vms set node_id = ${world.nodeId} where id = ${vm}`);
    const written = Promise.withResolvers<void>();
    const { nodeId } = world;
    const deps = {
      db: rows.node,
      nodeId,
      clock: systemClock,
      log: silentLog(),
      onWritten: () => written.resolve(),
    };
    new GuestHookNews(deps).take(vm, {
      type: "channel-failed",
      channel: "sharing",
      text: "the image has no sshfs",
    });
    await written.promise;
    expect(await texts(vm, "channel-failed")).toEqual([
      "The session has no sharing: the image has no sshfs.",
    ]);
  });
});
