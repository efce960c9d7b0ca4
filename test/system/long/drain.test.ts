/**
 * Two boxes in namespaces with real desktops, one of them emptied: by moving and by finishing, while a person works there.
 * What becomes of sessions, homes and desktops, and what command line and WAT say meanwhile. Then its packet filter is
 * emptied by another program. Run by `QVD_TEST_LONG=1 bun test test/system/long/drain.test.ts`; QVD_TEST_EXECUTABLE names one that is built.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { openScreen, type Screen } from "../../../bench/screen.ts";
import { asId, type NodeId, type VmId } from "../../../src/domain/ids.ts";
import { runOk } from "../../../src/lib/run.ts";
import { waitFor } from "../../../src/lib/wait.ts";
import { blockNode } from "../../../src/service/node/block.ts";
import { unblockNode } from "../../../src/service/node/unblock.ts";
import type { LabNode } from "../../support/lab-node.ts";
import { type LabWat, startLabWat } from "../../support/lab-wat.ts";
import type { ManyNodes } from "../../support/many-nodes.ts";
import { typeAs } from "../../support/type-command.ts";
import {
  addTypingDesktops,
  createTypingLab,
  desktopAt,
  readTyped,
  SOON,
  sitDownAt,
} from "../../support/typing-lab.ts";

const LAB = { lab: "drn", network: "10.98.31", nodes: 2 };
const TEST_MS = 400_000;

let lab: ManyNodes;
let wat: LabWat;
let screen: Screen;
const type = typeAs(() => wat, "admin");

const isLong = process.env.QVD_TEST_LONG === "1";

beforeAll(async () => {
  if (!isLong) return;
  // No box is to be lost here, however busy the machine is.
  lab = await createTypingLab({ ...LAB, env: { QVD_LEASE: "20" } });
  wat = await startLabWat(lab);
  screen = await openScreen();
  // Everything begins on the first.
  await blockNode(context(), { nodeId: await idOf(1) });
  await addTypingDesktops(lab, 2);
  for (const index of [0, 1]) expect(await runsOn(index, 0)).toBe(true);
  await unblockNode(context(), { nodeId: await idOf(1) });
}, TEST_MS);
afterAll(async () => {
  await screen?.close();
  await wat?.stop();
  await lab?.dispose();
}, TEST_MS);

const context = () => ({ db: lab.database.orm, actor: { kind: "system", what: "test" } }) as const;
const nodeAt = (index: number) => lab.nodes[index] as LabNode;
const desktop = (index: number) => desktopAt(lab, index);
const rows = <Row extends Record<string, unknown>>(statement: ReturnType<typeof sql>) =>
  lab.database.orm.execute<Row>(statement);

async function idOf(index: number): Promise<NodeId> {
  const [row] = await rows<{ id: number }>(sql`select id from nodes where name = ${nodeAt(index).name}`);
  return asId<NodeId>(row?.id ?? 0);
}

/** True once the desktop runs there, and only there, with an agent that answers. */
async function runsOn(index: number, node: number): Promise<boolean> {
  const vmId = desktopAt(lab, index);
  const isThere = async () => {
    const found = lab.findDesktop(vmId);
    const isOnly = found.length === 1 && found[0]?.node === nodeAt(node);
    return isOnly && (await lab.listRunning()).includes(vmId);
  };
  return (await waitFor(isThere, SOON)) === true;
}

async function trailSince(vmId: VmId, id: number): Promise<readonly string[]> {
  const events = await rows<{ code: string }>(
    sql`select code from vm_events where vm_id = ${vmId} and id > ${id} order by id`,
  );
  return events.map(({ code }) => code);
}

async function lastEvent(): Promise<number> {
  const [row] = await rows<{ id: number }>(sql`select coalesce(max(id), 0)::int as id from vm_events`);
  return row?.id ?? 0;
}

const visit = (index: number, node: number) => sitDownAt(lab, screen, { desktop: index, node });
const hasTyped = async (index: number, words: readonly string[]) =>
  (await waitFor(() => Bun.deepEquals(readTyped(lab, index), words), SOON)) === true;

async function lastSession(index: number): Promise<{ end_cause: string | null } | undefined> {
  const [row] = await rows<{ end_cause: string | null }>(
    sql`select end_cause from sessions where vm_id = ${desktop(index)} order by id desc limit 1`,
  );
  return row;
}

describe.skipIf(!isLong)("a box that is emptied by moving (long form: set QVD_TEST_LONG=1)", () => {
  test(
    "gives every desktop away, also one at which somebody works; its person goes on there, with the home",
    async () => {
      const [one, other] = [nodeAt(0).name, nodeAt(1).name];
      const working = await visit(0, 0);
      await working.type("before");
      expect(await hasTyped(0, ["before"])).toBe(true);
      const since = await lastEvent();

      const trial = await type("node drain", one, "--move", "--dry-run");
      expect(trial).toMatchObject({ code: 0, err: `would drain ${one}: 2 desktops leave\n` });
      expect(await trailSince(desktop(0), since)).toEqual([]);
      expect(await type("node drain", one, "--move")).toMatchObject({
        err: `draining ${one}: 2 desktops leave\n`,
      });
      expect(await wat.readPage("/nodes")).toMatch(/Draining: desktops move|Drained/);

      expect(await waitFor(() => working.isOver, SOON)).toBe(true);
      await working.leave();
      for (const index of [0, 1]) expect(await runsOn(index, 1)).toBe(true);
      expect((await lastSession(0))?.end_cause).toBe("node-drained");
      expect((await type("node list")).out).toMatch(new RegExp(`${one} +running, drained`));
      expect(await wat.readPage("/nodes")).toContain("Drained");
      for (const index of [0, 1]) {
        const trail = await trailSince(desktop(index), since);
        expect(trail[0]).toBe("node-drained");
        expect(trail).toContain("desktop-released");
        expect(trail).toContain("desktop-running");
        expect(trail).not.toContain("kill-sent");
        expect(trail).not.toContain("desktop-crashed");
      }

      const again = await visit(0, 1);
      await again.type("after");
      expect(await hasTyped(0, ["before", "after"])).toBe(true);
      await again.leave();
      // Nothing comes back to it, whatever is free there.
      expect(await type("vm stop", "p2")).toMatchObject({ code: 0 });
      expect(await waitFor(() => lab.findDesktop(desktop(1)).length === 0, SOON)).toBe(true);
      expect(await type("vm start", "p2")).toMatchObject({ code: 0 });
      expect(await runsOn(1, 1)).toBe(true);
      expect((await type("node list")).out).toMatch(new RegExp(`${other} +running `));
      expect(await type("node undrain", one)).toMatchObject({ err: `ended the drain of ${one}\n` });
    },
    TEST_MS,
  );
});

describe.skipIf(!isLong)("a box that is emptied by finishing (long form: set QVD_TEST_LONG=1)", () => {
  test(
    "lets people work on; a desktop leaves once it is stopped, and starts elsewhere with its home",
    async () => {
      const other = nodeAt(1).name;
      const working = await visit(0, 1);
      const since = await lastEvent();
      expect(await type("node drain", other)).toMatchObject({
        err: `draining ${other}: 2 desktops leave once they are stopped\n`,
      });
      expect((await type("node list")).out).toMatch(new RegExp(`${other} +running, draining \\(finish\\)`));
      expect(await wat.readPage("/nodes")).toContain("Draining: desktops finish");
      expect((await type("vm explain", "p1")).out).toContain(`Node ${other} is being drained`);

      await working.type("meanwhile");
      expect(await hasTyped(0, ["before", "after", "meanwhile"])).toBe(true);
      await type("vm stop", "p2");
      expect(await waitFor(() => lab.findDesktop(desktop(1)).length === 0, SOON)).toBe(true);
      await type("vm start", "p2");
      expect(await runsOn(1, 0)).toBe(true);
      expect(working.isOver).toBe(false);
      expect(await runsOn(0, 1)).toBe(true);
      expect(await trailSince(desktop(0), since)).toEqual(["node-drained"]);

      await working.leave();
      // Who only leaves comes back to a desktop that waits where it is.
      const back = await visit(0, 1);
      expect(await runsOn(0, 1)).toBe(true);
      await back.leave();
      await type("vm stop", "p1");
      expect(await waitFor(() => lab.findDesktop(desktop(0)).length === 0, SOON)).toBe(true);
      const isDrained = async () => (await type("node list")).out.includes("running, drained");
      expect(await waitFor(isDrained, SOON)).toBe(true);

      // Asked for by its person, not by a command; by either box's broker.
      const elsewhere = await visit(0, 0);
      expect(await runsOn(0, 0)).toBe(true);
      expect(await hasTyped(0, ["before", "after", "meanwhile"])).toBe(true);
      await elsewhere.leave();
    },
    TEST_MS,
  );
});

describe.skipIf(!isLong)(
  "a box whose packet filter another program empties (long form: set QVD_TEST_LONG=1)",
  () => {
    test(
      "has its rules again, and tells trail, command line and WAT whose doing it was",
      async () => {
        const name = nodeAt(0).name;
        // In the box's own namespace, never on this machine.
        const inBox = (...words: string[]) =>
          runOk("in the box", ["/usr/sbin/ip", "netns", "exec", name, "/usr/sbin/nft", ...words]);
        const [port] = lab.desktops.map((vmId) => `${name}-${vmId}`);
        const hasRules = async () => (await inBox("list", "ruleset")).includes(`"${port}"`);
        expect(await hasRules()).toBe(true);
        const since = await lastEvent();
        await inBox("flush", "ruleset");
        expect(await waitFor(hasRules, SOON)).toBe(true);
        const isTold = async () => (await trailSince(desktop(0), since)).includes("rules-put-back");
        expect(await waitFor(isTold, SOON)).toBe(true);
        const [told] = await rows<{ text: string }>(
          sql`select text from vm_events where id > ${since} and code = 'rules-put-back'`,
        );
        expect(told?.text).toMatch(/were taken away on this box by nft \(process \d+\), and put back/);
        const isListed = async () =>
          (await wat.readPage("/nodes")).includes("rules that keep desktops apart");
        expect(await waitFor(isListed, SOON)).toBe(true);
        expect((await type("node list", "--json")).out).toContain("were taken away on this box at");
        expect(await nodeAt(0).log()).toContain("rules-put-back");
      },
      TEST_MS,
    );
  },
);
