/** The database stopped and started again, and killed, while people work. */

import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { isProcessRunning, readProcessIdentity } from "../../../src/lib/process.ts";
import { sleep, waitFor } from "../../../src/lib/wait.ts";
import type { FaultLab } from "../../support/fault-lab.ts";
import { askOnce } from "../../support/nx-visit.ts";
import type { PartName, WholeBox } from "../../support/whole-box.ts";

/** The long form waits as long as a database that somebody has to mend. */
const AWAY_MS = process.env.QVD_TEST_LONG === "1" ? 300_000 : 5_000;
const SILENCE_MS = 4_000;

export function testDatabase(lab: () => FaultLab): void {
  test(
    "stops no session; who connects meanwhile is told why; all of it recovers by itself",
    async () => {
      const { box, alice, bob } = lab();
      const parts: PartName[] = ["node", "admin", "keeper", "auth", "broker-1", "broker-2"];
      const before = parts.map((part) => box.find(part));
      const visit = await lab().visit(alice);
      const startMs = performance.now();
      const start = await stopDatabase(box);
      const refused = await askOnce(box.brokerPort, bob);
      expect(refused.status).toBe(503);
      expect(refused.body).toMatch(/database/i);
      expect(refused.tookMs).toBeLessThan(20_000);
      const told = await box.qvd(["vm", "list"]);
      expect(told.exitCode).not.toBe(0);
      expect(told.stderr).toMatch(/database/i);
      await lab().proveWork(visit, alice);
      await sleep(Math.max(0, AWAY_MS - (performance.now() - startMs)));
      start();
      const startedMs = performance.now();
      const connects = async () => (await askOnce(box.brokerPort, bob)).status === 101;
      expect(await waitFor(connects, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
      lab().note("database back: a client is connected", startedMs);
      const lists = async () => (await box.qvd(["vm", "list"])).exitCode === 0;
      expect(await waitFor(lists, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
      lab().note("database back: the API answers", startedMs);
      await lab().proveWork(visit, alice);
      expect(visit.longestSilenceMs(startMs)).toBeLessThan(SILENCE_MS);
      await visit.leave();
      // The end of a session is written although its beginning was before the fault.
      const isClosed = async () => (await lab().openSessions(alice.vmId)).length === 0;
      expect(await waitFor(isClosed, { timeoutMs: 60_000 })).toBe(true);
      expect(parts.map((part) => box.find(part))).toEqual(before);
    },
    AWAY_MS + 240_000,
  );

  test("keeps the end of a session that ended meanwhile, and a wish made at its return is done", async () => {
    const { box, alice, bob } = lab();
    const visit = await lab().visit(alice);
    const [session] = await lab().openSessions(alice.vmId);
    const start = await stopDatabase(box);
    await visit.leave();
    start();
    const isClosed = async () => (await lab().lastSession(alice.vmId))?.end_cause === "client-left";
    expect(await waitFor(() => isClosed().catch(() => false), { timeoutMs: 60_000 })).toBe(true);
    expect((await lab().lastSession(alice.vmId))?.id).toBe(session?.id ?? 0);
    await box.qvdOk("vm", "stop", `${bob.login}-desk`);
    expect(await lab().reaches(bob.vmId, "stopped")).toBe(true);
    await box.qvdOk("vm", "start", `${bob.login}-desk`);
    expect(await lab().reaches(bob.vmId, "running")).toBe(true);
  }, 240_000);

  test("killed, with all its connections, comes back by itself", async () => {
    const { box, alice } = lab();
    const visit = await lab().visit(alice);
    const startMs = performance.now();
    const postmaster = await findPostmaster(box);
    process.kill(postmaster, "SIGKILL");
    const isNew = async () => (await findPostmaster(box).catch(() => postmaster)) !== postmaster;
    expect(await waitFor(isNew, { timeoutMs: 60_000 })).toBe(true);
    const connects = async () => (await askOnce(box.brokerPort, lab().bob)).status === 101;
    expect(await waitFor(connects, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
    lab().note("PostgreSQL killed: a client is connected", startMs);
    await lab().proveWork(visit, alice);
    expect(visit.longestSilenceMs(startMs)).toBeLessThan(SILENCE_MS);
    await visit.leave();
  }, 240_000);
}

/** Stops PostgreSQL and keeps its keeper from starting it until the function returned is called. */
async function stopDatabase(box: WholeBox): Promise<() => void> {
  const keeper = box.find("db");
  if (keeper === undefined) throw new Error("the database does not run");
  const postmaster = readProcessIdentity(await findPostmaster(box));
  process.kill(keeper.pid, "SIGSTOP");
  if (postmaster !== undefined) process.kill(postmaster.pid, "SIGINT");
  const isGone = () => postmaster === undefined || !isProcessRunning(postmaster);
  if (!(await waitFor(isGone, { timeoutMs: 60_000 }))) throw new Error("PostgreSQL did not stop");
  return () => process.kill(keeper.pid, "SIGCONT");
}

async function findPostmaster(box: WholeBox): Promise<number> {
  const text = await readFile(`${box.layout.databaseFolder}/cluster/postmaster.pid`, "utf8");
  return Number(text.split("\n")[0]);
}
