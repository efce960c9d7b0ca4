/** Desktops that can't be: each ends in `stopped` with its reasons in the trail, and leaves nothing. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import type { VmId } from "../../src/domain/ids.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { NodeLab } from "../support/node-lab.ts";
import { makeTinyRoot, packRoot } from "../support/tiny-root.ts";

/** In the agent's place: it never says a word. */
const AGENT = `#!/bin/sh
exec /bin/sleep 1000
`;

let lab: NodeLab;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp("/var/tmp/qvd-ndflt-image-");
  await chmod(scratch, 0o755);
  await makeTinyRoot(`${scratch}/tiny`);
  await packRoot(`${scratch}/tiny`, `${scratch}/tiny.tar`);
  await writeFile(`${scratch}/agent`, AGENT, { mode: 0o755 });
  lab = await NodeLab.create({
    instance: "ndflt",
    network: "10.213.0",
    archive: `${scratch}/tiny.tar`,
    agentExecutable: `${scratch}/agent`,
    limits: { firstBackoffMs: 50, mostBackoffMs: 100, startTimeoutMs: 1_000, goingDownMs: 8_000 },
  });
  await lab.startNode();
}, 180_000);
afterAll(async () => {
  await lab?.dispose();
  await rm(scratch, { recursive: true, force: true });
}, 180_000);

async function expectGivenUp(vm: VmId, reason: RegExp): Promise<void> {
  expect(await lab.rows.tells(vm, "start-given-up", 60_000)).toBe(true);
  expect(await lab.rows.reaches(vm, "stopped", 20_000)).toBe("stopped");
  expect(await lab.rows.textOf(vm, "start-given-up")).toMatch(reason);
  expect(await lab.count()).toEqual([]);
}

describe("a desktop whose agent never answers", () => {
  test("is given up after three starts", async () => {
    const vm = await lab.rows.addVm("mute");
    await lab.rows.wish(vm, "running");
    await expectGivenUp(vm, /agent did not answer within 1 s/);
    const trail = await lab.rows.trail(vm);
    expect(trail.filter((code) => code === "container-started")).toHaveLength(3);
    expect(await lab.rows.row(vm)).toMatchObject({ tries: 3, wish: "running", fault_code: "start-given-up" });
  }, 120_000);

  test("is stopped in the middle of its start when nobody wants it any more", async () => {
    const vm = await lab.rows.addVm("unwanted");
    await lab.rows.wish(vm, "running");
    expect(await lab.rows.reaches(vm, "starting_2", 20_000)).toBe("starting_2");
    await lab.rows.wish(vm, "stopped");
    expect(await lab.rows.reaches(vm, "stopped", 20_000)).toBe("stopped");
    expect(await lab.rows.trail(vm)).not.toContain("start-given-up");
    expect(await lab.count()).toEqual([]);
  }, 180_000);
});

describe("a desktop whose image", () => {
  test.each([
    ["is cut off", async (path: string) => truncate(path, 100_000), /cut|truncated|end of file|EOF|corrupt/i],
    ["is no image at all", async (path: string) => writeFile(path, "no image, but a letter\n"), /image/i],
    ["is not there", async (path: string) => rm(path), /missing/],
  ] as const)(
    "%s is given up with the reason",
    async (what, spoil, reason) => {
      const di = await lab.rows.addImage(what.replaceAll(" ", "-"));
      await lab.layImage(di, `${scratch}/tiny.tar`);
      await spoil(`${lab.layout.imagesFolder}/${di}-desk.tar`);
      await lab.rows.tag(di);
      const vm = await lab.rows.addVm(what);
      await lab.rows.wish(vm, "running");
      await expectGivenUp(vm, reason);
      expect((await lab.rows.trail(vm)).filter((code) => code === "start-failed")).toHaveLength(3);
      await lab.rows.tag(lab.rows.diId);
    },
    180_000,
  );
});

test("the box starts other desktops all the while", async () => {
  const vm = await lab.rows.addVm("other");
  await lab.rows.wish(vm, "running");
  expect(await lab.rows.reaches(vm, "starting_2", 20_000)).toBe("starting_2");
  await lab.signalNode("SIGINT", 40_000);
  expect(await waitFor(async () => (await lab.count()).length === 0, { timeoutMs: 30_000 })).toBe(true);
}, 180_000);
