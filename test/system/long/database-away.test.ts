/**
 * Three boxes with real desktops and the lease's real times while the database is away for five minutes, and
 * while it is replaced by its promoted standby after a minute without any.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { runOk } from "../../../src/lib/run.ts";
import { sleep, waitFor } from "../../../src/lib/wait.ts";
import { checkBeats } from "../../fault/check-beats.ts";
import { isEverybodyServed, openLab, readLives, readRecords } from "../../fault/fault-run.ts";
import { Witnesses } from "../../fault/witnesses.ts";
import type { ManyNodes } from "../../support/many-nodes.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const LEASE_SECONDS = 10;
const AWAY_MS = 300_000;
const SHORT_MS = 60_000;
const TEST_MS = 600_000;

describe.skipIf(process.env.QVD_TEST_LONG !== "1")("three boxes (long form: set QVD_TEST_LONG=1)", () => {
  let lab: ManyNodes;
  let witnesses: Witnesses;
  beforeAll(async () => {
    const build = [process.execPath, "run", "build.ts"];
    await runOk("building the executable", build, { cwd: ROOT, timeoutMs: 120_000 });
    lab = await openLab({
      executable: `${ROOT}/dist/qvd`,
      ...{ nodes: 3, desktops: 12, leaseSeconds: LEASE_SECONDS },
      say: () => {},
    });
    witnesses = new Witnesses(lab);
    witnesses.start();
  }, TEST_MS);
  afterAll(async () => {
    witnesses?.stop();
    await lab?.dispose();
  }, TEST_MS);

  const lives = () => readLives(lab);

  /** Every desktop went on in the life it had, nobody was taken over, and nothing written contradicts itself. */
  async function expectPeace(before: readonly string[]): Promise<void> {
    await sleep(LEASE_SECONDS * 2_000);
    expect(lives()).toEqual([...before]);
    expect(await lab.countTakeovers()).toBe(0);
    expect(await waitFor(() => isEverybodyServed(lab), { timeoutMs: 60_000, everyMs: 500 })).toBe(true);
    expect(readRecords(lab, witnesses).flatMap(checkBeats)).toEqual([]);
  }

  test(
    "stop no desktop while the database is away for five minutes",
    async () => {
      const before = lives();
      await lab.server.stop("immediate");
      await sleep(AWAY_MS);
      await lab.server.start();
      await expectPeace(before);
    },
    TEST_MS,
  );

  test(
    "stop no desktop when the database is replaced by its promoted standby",
    async () => {
      const before = lives();
      await lab.server.failOverToStandby();
      await sleep(SHORT_MS);
      await expectPeace(before);
    },
    TEST_MS,
  );
});
