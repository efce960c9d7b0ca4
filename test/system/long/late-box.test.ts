/**
 * A box that wakes up late. Two machines with kernels of their own over a real NFS server, each running the compiled
 * executable as its unit; desktops that tell over a way of their own what their homes have acknowledged. One box is
 * halted, robbed of its power or cut off; what then stands in the home is held against what was told.
 * Under software emulation; twelve minutes on two cores. Run by `QVD_TEST_LONG=1 bun test test/system/long/late-box.test.ts`.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import type { VmId } from "../../../src/domain/ids.ts";
import { runOk } from "../../../src/lib/run.ts";
import { sleep, waitFor } from "../../../src/lib/wait.ts";
import { checkBeats } from "../../fault/check-beats.ts";
import { parseBeats } from "../../support/beating-desktop.ts";
import type { HeardBeat } from "../../support/beats-heard.ts";
import type { LateBox } from "../../support/late-box.ts";
import { LateSite } from "../../support/late-site.ts";

const isLong = process.env.QVD_TEST_LONG === "1";
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const MINUTE_MS = 60_000;
const LEASE_SECONDS = 10;
const NFS_LEASE_SECONDS = 10;
const PAUSE_MS = MINUTE_MS;
/** Lines of a life before it is harmed, and of the next before it is believed. */
const ENOUGH = 25;
/** Two boxes that have just booted, on a machine that is very busy. */
const FIRST_MS = 15 * MINUTE_MS;
/** From a loss to the first line elsewhere, on processors that are emulated. */
const SERVED_MS = 5 * MINUTE_MS;

describe.skipIf(!isLong)("a box that wakes up late (long form: set QVD_TEST_LONG=1)", () => {
  let site: LateSite;
  let vmId: VmId;

  beforeAll(async () => {
    await runOk("compiling", [process.execPath, "run", "build.ts"], { cwd: ROOT, timeoutMs: 3 * MINUTE_MS });
    site = await LateSite.create({
      executable: `${ROOT}dist/qvd`,
      leaseSeconds: LEASE_SECONDS,
      nfsLeaseSeconds: NFS_LEASE_SECONDS,
    });
    [vmId = vmId] = await site.addDesktops(1);
    await awaitLines(() => site.heard(vmId).length > 0, FIRST_MS);
  }, 45 * MINUTE_MS);
  afterAll(async () => {
    await site?.dispose();
  }, 2 * MINUTE_MS);

  test(
    "keeps its desktop while it is cut off from the database alone",
    async () => {
      const { box, life } = await findWriting();
      const takeovers = await site.countTakeovers();
      await site.cut(box, "database", true);
      await sleep(LEASE_SECONDS * 4_000);
      await site.cut(box, "database", false);
      await sleep(LEASE_SECONDS * 2_000);
      await awaitMore(life);
      expect(site.heard(vmId).at(-1)?.life).toBe(life);
      expect(await site.countTakeovers()).toBe(takeovers);
    },
    15 * MINUTE_MS,
  );

  test(
    "writes nothing any more when it was paused for a minute and another box took over",
    async () => {
      const { box, life, epoch } = await findWriting();
      await box.machine.pause();
      const lostAtMs = performance.now();
      const next = await awaitTakeover(life, lostAtMs);
      await sleep(Math.max(0, PAUSE_MS - (performance.now() - lostAtMs)));
      await box.machine.resume();
      const wokeAtMs = performance.now();
      await box.awaitGone(vmId, SERVED_MS);
      const goneAfterS = (performance.now() - wokeAtMs) / 1_000;
      await expectNewEpoch(box, epoch);
      await awaitMore(next.life);
      // What the storage had acknowledged before the pause may be told after it.
      const late = site.heard(vmId).filter((beat) => beat.life === life && beat.atMs > next.atMs);
      expect(late.length).toBeLessThanOrEqual(1);
      await expectWhole();
      tellFigures("paused", { servedAfterS: next.servedAfterS, goneAfterS });
    },
    30 * MINUTE_MS,
  );

  test(
    "leaves every acknowledged write to whoever takes over when its power is cut",
    async () => {
      const { box, life, epoch } = await findWriting();
      await box.machine.cutPower();
      const next = await awaitTakeover(life, performance.now());
      await awaitMore(next.life);
      await box.machine.powerOn();
      await expectNewEpoch(box, epoch);
      expect(site.heard(vmId).at(-1)?.life).toBe(next.life);
      await expectWhole();
      tellFigures("cut from power", { servedAfterS: next.servedAfterS });
    },
    30 * MINUTE_MS,
  );

  test(
    "freezes its desktop before another box takes over when it is cut off from database and storage",
    async () => {
      const { box, life, epoch } = await findWriting();
      const takeovers = await site.countTakeovers();
      const frozen = box.awaitFrozen(MINUTE_MS).then(async () => ({
        afterMs: performance.now() - lostAtMs,
        takeovers: await site.countTakeovers(),
      }));
      await site.cut(box, "database", true);
      await site.cut(box, "storage", true);
      const lostAtMs = performance.now();
      const { afterMs, takeovers: whenFrozen } = await frozen;
      expect(whenFrozen).toBe(takeovers);
      const next = await awaitTakeover(life, lostAtMs);
      await site.cut(box, "storage", false);
      await site.cut(box, "database", false);
      await box.awaitGone(vmId, SERVED_MS);
      await expectNewEpoch(box, epoch);
      await awaitMore(next.life);
      await expectWhole();
      const { servedAfterS } = next;
      tellFigures("cut off from both", { servedAfterS, frozenAfterS: afterMs / 1_000 });
    },
    30 * MINUTE_MS,
  );

  type Next = { readonly life: string; readonly atMs: number; readonly servedAfterS: number };

  /** Where the desktop runs, once it has written enough there to be harmed. */
  async function findWriting(): Promise<{
    readonly box: LateBox;
    readonly life: string;
    readonly epoch: number;
  }> {
    const before = site.heard(vmId).length;
    await awaitLines(() => {
      const last = site.heard(vmId).at(-1);
      return site.heard(vmId).length > before + 2 && countOf(last?.life ?? "") >= ENOUGH;
    });
    const box = await site.holderOf(vmId);
    const epoch = box && (await site.epochOf(box));
    const life = site.heard(vmId).at(-1)?.life;
    if (box === undefined || epoch === undefined || life === undefined)
      throw new Error(`the desktop runs nowhere:\n${await site.tell()}`);
    return { box, life, epoch };
  }

  async function awaitTakeover(life: string, lostAtMs: number): Promise<Next> {
    const first = () => site.heard(vmId).find((beat) => beat.atMs > lostAtMs && beat.life !== life);
    await awaitLines(() => first() !== undefined);
    const { life: next, atMs } = first() as HeardBeat;
    return { life: next, atMs, servedAfterS: (atMs - lostAtMs) / 1_000 };
  }

  async function awaitMore(life: string): Promise<void> {
    const before = countOf(life);
    await awaitLines(() => countOf(life) >= before + ENOUGH);
  }

  async function awaitLines(isThere: () => boolean, timeoutMs = SERVED_MS): Promise<void> {
    if (await waitFor(isThere, { timeoutMs, everyMs: 100 })) return;
    throw new Error(`no line came in ${timeoutMs / 1_000} s:\n${await site.tell()}`);
  }

  function countOf(life: string): number {
    return site.heard(vmId).filter((beat) => beat.life === life).length;
  }

  async function expectNewEpoch(box: LateBox, before: number): Promise<void> {
    const isAnew = async () => ((await site.epochOf(box)) ?? 0) > before;
    if (await waitFor(isAnew, { timeoutMs: SERVED_MS, everyMs: 500 })) return;
    throw new Error(`${box.name} took no new epoch:\n${await site.tell()}`);
  }

  /**
   * The home as it lies there: its file system is clean, no acknowledged line is missing, each stands after the one
   * that its writer found, and no life was heard of again once there was another.
   */
  async function expectWhole(): Promise<void> {
    const beats = parseBeats(await site.readHome(vmId));
    const heard = site.heard(vmId);
    const record = {
      desktop: `desktop ${vmId}`,
      // The boxes' clocks say nothing of each other; the order in the file does.
      beats: beats.map((beat, index) => ({ ...beat, atMs: index })),
      witnesses: heard.map(({ life, number }) => ({ life, number, atMs: undefined })),
    };
    expect(checkBeats(record)).toEqual([]);
    expect(listHeardLate(heard).length).toBeLessThanOrEqual(1);
  }
});

/** Lines that were heard after the first of a later life. */
function listHeardLate(heard: readonly HeardBeat[]): readonly HeardBeat[] {
  const lives = [...new Set(heard.map(({ life }) => life))];
  let newest = 0;
  return heard.filter(({ life }) => {
    const index = lives.indexOf(life);
    newest = Math.max(newest, index);
    return index < newest;
  });
}

function tellFigures(what: string, { servedAfterS, ...more }: Readonly<Record<string, number>>): void {
  const others = Object.entries(more).map(([name, value]) => `${name} ${value.toFixed(1)}`);
  console.info([`${what}: first line elsewhere after ${servedAfterS?.toFixed(1)} s`, ...others].join(", "));
}
