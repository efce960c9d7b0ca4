/**
 * A person works on a desktop while the database is away, and while its promoted standby takes its place: not a key is
 * lost. Run by `QVD_TEST_LONG=1 bun test test/system/long/session-over-promotion.test.ts`;
 * QVD_TEST_EXECUTABLE names one that is built.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { sql } from "drizzle-orm";
import { openScreen, type Screen } from "../../../bench/screen.ts";
import { hashPassword } from "../../../src/auth/password.ts";
import type { VmId } from "../../../src/domain/ids.ts";
import { runOk } from "../../../src/lib/run.ts";
import { sleep, waitFor } from "../../../src/lib/wait.ts";
import { packDesktop, TYPED_FILE } from "../../support/fault-images.ts";
import { LAB_PASSWORD } from "../../support/lab-desktops.ts";
import { ManyNodes } from "../../support/many-nodes.ts";
import { Visit } from "../../support/nx-visit.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const LAB = { lab: "prm", network: "10.98.32" };
const LEASE_SECONDS = 10;
const BROKER_PORT = 8443;
const TEST_MS = 400_000;
const SOON = { timeoutMs: 120_000, everyMs: 100 };

let lab: ManyNodes;
let screen: Screen;
let working: Visit;

const isLong = process.env.QVD_TEST_LONG === "1";
const describeLong = describe.skipIf(!isLong);

beforeAll(async () => {
  if (!isLong) return;
  const executable = process.env.QVD_TEST_EXECUTABLE ?? `${ROOT}/dist/qvd`;
  if (process.env.QVD_TEST_EXECUTABLE === undefined)
    await runOk("building", [process.execPath, "run", "build.ts"], { cwd: ROOT, timeoutMs: 120_000 });
  lab = await ManyNodes.create({ ...LAB, nodes: 2, executable, env: { QVD_LEASE: `${LEASE_SECONDS}` } });
  screen = await openScreen();
  const archive = `${lab.folder}/desktop.tar.zst`;
  await packDesktop(archive);
  await lab.addDesktops(1, { archive, fileName: "desktop.tar.zst", memoryMb: 512, hashPassword });
  expect(await waitFor(async () => (await lab.listRunning()).includes(desktop()), SOON)).toBe(true);
  working = await Visit.open(screen, BROKER_PORT, person(), { host: ownBroker(), shownMs: 60_000 });
}, TEST_MS);
afterAll(async () => {
  await working?.leave();
  await screen?.close();
  await lab?.dispose();
}, TEST_MS);

const desktop = () => lab.desktops[0] as VmId;
const person = () => ({ login: "p1@lab", password: LAB_PASSWORD, vmId: desktop() });
const where = () => lab.findDesktop(desktop()).map(({ node }) => node.name);

/** Of the box that the desktop is on: the lab's boxes have no authority in common, by which they would hand sessions on. */
function ownBroker(): string {
  const index = lab.nodes.findIndex(({ name }) => where().includes(name));
  return `${LAB.network}.${index + 1}`;
}

/** Each is in the home once the desktop has had it: a key that was lost is missing there. */
async function typeAll(words: readonly string[]): Promise<boolean> {
  for (const word of words) await working.type(word);
  const typed = () => lab.readInside(desktop(), `home/p1/${TYPED_FILE}`).join().trim().split("\n");
  return (await waitFor(() => words.every((word) => typed().includes(word)), SOON)) === true;
}

/** What there is of sessions, as the database has it. */
async function readSessions(): Promise<readonly { id: number; isOver: boolean }[]> {
  return await lab.database.orm.execute(
    sql`select id::int, ended_at is not null as "isOver" from sessions order by id`,
  );
}

describeLong("a session (long form: set QVD_TEST_LONG=1)", () => {
  test(
    "goes on while the database is away for several validities of a lease, and after",
    async () => {
      const [before, box] = [await readSessions(), where()];
      expect(await typeAll(["before"])).toBe(true);
      await lab.server.stop("immediate");
      expect(await typeAll(["away"])).toBe(true);
      await sleep(3_000 * LEASE_SECONDS);
      expect(await typeAll(["still away"])).toBe(true);
      await lab.server.start();
      await sleep(1_500 * LEASE_SECONDS);
      expect(await typeAll(["back"])).toBe(true);
      expect(working.isOver).toBe(false);
      expect(await readSessions()).toEqual(before);
      expect(where()).toEqual(box);
    },
    TEST_MS,
  );

  test(
    "goes on while a promoted standby takes the database's place, which knows of it",
    async () => {
      const [before, box] = [await readSessions(), where()];
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
      expect(working.isOver).toBe(false);
      expect(await readSessions()).toEqual(before);
      expect(await lab.countTakeovers()).toBe(0);
      expect(where()).toEqual(box);
      // And its end is told to the new one.
      await working.leave();
      const isTold = async () => (await readSessions()).every(({ isOver }) => isOver);
      expect(await waitFor(isTold, SOON)).toBe(true);
    },
    TEST_MS,
  );
});
