/**
 * Two people work while the database is away, and while its promoted standby takes its place: one came to the box that
 * the desktop runs on, one to another, whose broker hands on to that box's. Not a key is lost. Run by `QVD_TEST_LONG=1 bun test test/system/long/session-over-promotion.test.ts`;
 * QVD_TEST_EXECUTABLE names one that is built.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { openScreen, type Screen } from "../../../bench/screen.ts";
import { sleep, waitFor } from "../../../src/lib/wait.ts";
import type { ManyNodes } from "../../support/many-nodes.ts";
import type { Visit } from "../../support/nx-visit.ts";
import {
  addTypingDesktops,
  createTypingLab,
  desktopAt,
  readTyped,
  SOON,
  sitDownAt,
} from "../../support/typing-lab.ts";

const LAB = { lab: "prm", network: "10.98.32", nodes: 2 };
const LEASE_SECONDS = 10;
const TEST_MS = 400_000;

/** Who sits at a desktop, on a screen of their own. */
type Sitting = { readonly desktop: number; readonly visit: Visit };

let lab: ManyNodes;
const screens: Screen[] = [];
/** At the desktop's own box, and by way of another. */
const sittings: Sitting[] = [];

const isLong = process.env.QVD_TEST_LONG === "1";

beforeAll(async () => {
  if (!isLong) return;
  lab = await createTypingLab({ ...LAB, env: { QVD_LEASE: `${LEASE_SECONDS}` } });
  await addTypingDesktops(lab, 2);
  const areUp = async () => (await lab.listRunning()).length === lab.desktops.length;
  expect(await waitFor(areUp, SOON)).toBe(true);
  for (const [index, isOwnBox] of [true, false].entries()) sittings.push(await sitDown(index, isOwnBox));
}, TEST_MS);
afterAll(async () => {
  for (const { visit } of sittings) await visit.leave();
  for (const screen of screens) await screen.close();
  await lab?.dispose();
}, TEST_MS);

const where = () => lab.desktops.map((vmId) => lab.findDesktop(vmId).map(({ node }) => node.name));

async function sitDown(desktop: number, isOwnBox: boolean): Promise<Sitting> {
  const screen = await openScreen();
  screens.push(screen);
  const [own] = lab.findDesktop(desktopAt(lab, desktop));
  const node = lab.nodes.findIndex((one) => (one === own?.node) === isOwnBox);
  return { desktop, visit: await sitDownAt(lab, screen, { desktop, node }) };
}

/** Each is in the home once the desktop has had it: a key that was lost is missing there. */
async function typeAll(words: readonly string[]): Promise<boolean> {
  const areTyped = sittings.map(async ({ desktop, visit }) => {
    for (const word of words) await visit.type(word);
    const hasAll = () => {
      const typed = readTyped(lab, desktop).map(once);
      return words.every((word) => typed.includes(once(word)));
    };
    return (await waitFor(hasAll, SOON)) === true;
  });
  return !(await Promise.all(areTyped)).includes(false);
}

/** On a machine that has no time a key stays down long enough to repeat itself; none may be missing. */
const once = (text: string) => text.replace(/(.)\1+/g, "$1");

type Session = { readonly id: number; readonly isOver: boolean; readonly isRelayed: boolean };

/** What there is of sessions, as the database has it. */
async function readSessions(): Promise<readonly Session[]> {
  return await lab.database.orm.execute<Session>(
    sql`select s.id::int, s.ended_at is not null as "isOver", s.broker_node_id <> v.node_id as "isRelayed"
      from sessions s join vms v on v.id = s.vm_id order by s.id`,
  );
}

const isAnyOver = () => sittings.some(({ visit }) => visit.isOver);

describe.skipIf(!isLong)(
  "sessions at the desktop's own box and by way of another (long form: set QVD_TEST_LONG=1)",
  () => {
    test(
      "go on while the database is away for several validities of a lease, and after",
      async () => {
        const [before, boxes] = [await readSessions(), where()];
        expect(before.map(({ isRelayed }) => isRelayed)).toEqual([false, true]);
        expect(await typeAll(["before"])).toBe(true);
        await lab.server.stop("immediate");
        expect(await typeAll(["away"])).toBe(true);
        await sleep(3_000 * LEASE_SECONDS);
        expect(await typeAll(["still away"])).toBe(true);
        await lab.server.start();
        await sleep(1_500 * LEASE_SECONDS);
        expect(await typeAll(["back"])).toBe(true);
        expect(isAnyOver()).toBe(false);
        expect(await readSessions()).toEqual(before);
        expect(where()).toEqual(boxes);
      },
      TEST_MS,
    );

    test(
      "go on while a promoted standby takes the database's place, which knows of them",
      async () => {
        const [before, boxes] = [await readSessions(), where()];
        const state = { isOver: false };
        const failingOver = lab.server.failOverToStandby().finally(() => {
          state.isOver = true;
        });
        const words: string[] = [];
        while (!state.isOver) {
          const word = `word ${words.length}`;
          words.push(word);
          expect(await typeAll([word])).toBe(true);
        }
        await failingOver;
        expect(words.length).toBeGreaterThan(3);
        await sleep(2_000 * LEASE_SECONDS);
        expect(await typeAll(["promoted"])).toBe(true);
        expect(isAnyOver()).toBe(false);
        expect(await readSessions()).toEqual(before);
        expect(await lab.countTakeovers()).toBe(0);
        expect(where()).toEqual(boxes);
        // And their ends are told to the new one.
        for (const { visit } of sittings) await visit.leave();
        const isTold = async () => (await readSessions()).every(({ isOver }) => isOver);
        expect(await waitFor(isTold, SOON)).toBe(true);
      },
      TEST_MS,
    );
  },
);
