/** How a node replaces workers that carry something: successors first, then word to the elders, nothing ended. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { findCgroupRoot, isProcessRunning } from "../../src/lib/process.ts";
import { waitFor } from "../../src/lib/wait.ts";
import type { WorkerEntry } from "../../src/node/process-file.ts";
import { Supervisor, type WorkerSpec } from "../../src/node/supervise.ts";
import { brokerStateFile, readBrokerState, removeBrokerState } from "../../src/wire/broker/state-file.ts";

const PROGRAM = fileURLToPath(new URL("../support/stand-in-broker.ts", import.meta.url));
let folder: string;
const supervisors: Supervisor[] = [];

beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/qvd-replace-`);
  mkdirSync(`${folder}/states`);
});
afterEach(async () => {
  for (const supervisor of supervisors.splice(0)) await supervisor.end();
  rmSync(folder, { recursive: true });
}, 30_000);

type Version = { readonly fingerprint: string; readonly kind?: string; readonly count?: number };

function supervise({ fingerprint, kind = "", count = 2 }: Version, found: readonly WorkerEntry[] = []) {
  const workers = Array.from(
    { length: count },
    (_, index): WorkerSpec => ({
      name: `broker-${index + 1}`,
      command: [process.execPath, PROGRAM, `${folder}/states`, kind],
      account: undefined,
      env: {},
      fingerprint,
      drains: true,
    }),
  );
  const supervisor = new Supervisor({
    workers,
    logsFolder: folder,
    cgroupFolder: `${findCgroupRoot()}/replace/p`,
    states: {
      read: (pid) => readBrokerState(brokerStateFile(`${folder}/states`, pid)),
      drop: (pid) => removeBrokerState(brokerStateFile(`${folder}/states`, pid)),
    },
    clock: systemClock,
    log: silentLog(),
    onChange: () => {},
  });
  supervisors.push(supervisor);
  supervisor.start(found);
  return supervisor;
}

/** As after a restart of the node. */
function succeed(before: Supervisor, version: Version): Supervisor {
  before.handOver();
  supervisors.splice(supervisors.indexOf(before), 1);
  return supervise(version, JSON.parse(JSON.stringify(before.entries())));
}

const phaseOf = ({ pid }: { pid: number | null }) =>
  readBrokerState(brokerStateFile(`${folder}/states`, pid ?? 0))?.phase;
const until = async (what: string, condition: () => boolean) => {
  if (!(await waitFor(condition, { timeoutMs: 25_000 }))) throw new Error(`not in time: ${what}`);
};
const listening = (supervisor: Supervisor) =>
  until("all listen", () => supervisor.facts().every((worker) => phaseOf(worker) === "listening"));
const statesOf = (supervisor: Supervisor) => supervisor.facts().map(({ name, state }) => `${name} ${state}`);

describe("workers that carry something", () => {
  test("of the same version are left alone", async () => {
    const first = supervise({ fingerprint: "one" });
    await listening(first);
    const second = succeed(first, { fingerprint: "one" });
    second.replaceElders();
    expect(second.entries()).toEqual(first.entries());
  }, 90_000);

  test("of another version go on until their successors listen, then drain, beside them and found again", async () => {
    const first = supervise({ fingerprint: "one", kind: "busy" });
    await listening(first);
    const elders = first.entries();
    const second = succeed(first, { fingerprint: "two" });
    expect(second.entries().length).toBe(4);
    await until("all are up", () => second.facts().every((worker) => phaseOf(worker) === "listening"));
    // Nobody has said that the node is up.
    expect(statesOf(second)).toEqual([
      "broker-1 running",
      "broker-2 running",
      "broker-1 running",
      "broker-2 running",
    ]);
    second.replaceElders();
    await until("they drain", () => elders.every((elder) => phaseOf(elder) === "draining"));
    expect(elders.every(isProcessRunning)).toBe(true);
    await until("it is told", () => second.facts().filter(({ state }) => state === "draining").length === 2);
    expect(second.facts()[2]).toMatchObject({ name: "broker-1", isElder: true });
    expect(second.facts()[2]?.deadlineAtMs).toBeGreaterThan(Date.now());
    expect(readFileSync(`${folder}/broker-1.log`, "utf8")).toBe("SIGUSR2\n");
    const third = succeed(second, { fingerprint: "two" });
    third.replaceElders();
    expect(third.entries()).toEqual(second.entries());
    const [one] = elders;
    if (one !== undefined) process.kill(one.pid, "SIGKILL");
    await until("it is gone", () => third.facts().length === 3);
    expect(statesOf(third)).toEqual(["broker-1 running", "broker-2 running", "broker-2 draining"]);
  }, 90_000);

  test("that are too many give way as well", async () => {
    const first = supervise({ fingerprint: "one", count: 3 });
    await listening(first);
    const second = succeed(first, { fingerprint: "two", count: 1 });
    second.replaceElders();
    await until("one is left", () => second.facts().length === 1);
    expect(second.entries().map(({ name, fingerprint }) => [name, fingerprint])).toEqual([
      ["broker-1", "two"],
    ]);
  }, 90_000);

  test("go on serving when their successors don't come up", async () => {
    const first = supervise({ fingerprint: "one" });
    await listening(first);
    const elders = first.entries();
    const second = succeed(first, { fingerprint: "two", kind: "broken" });
    second.replaceElders();
    await until("it was tried", () => (second.facts()[0]?.restarts ?? 0) >= 2);
    expect(elders.every(isProcessRunning)).toBe(true);
    expect(elders.every((elder) => phaseOf(elder) === "listening")).toBe(true);
    const third = succeed(second, { fingerprint: "one" });
    // One that just failed may still be there.
    expect(
      third
        .entries()
        .slice(0, 2)
        .map(({ pid }) => pid),
    ).toEqual(elders.map(({ pid }) => pid));
  }, 90_000);

  test("that an older version left without a fingerprint are told in a way that it knows", async () => {
    const first = supervise({ fingerprint: "one", count: 1 });
    await listening(first);
    const older = first.entries().map(({ fingerprint: _, drains: __, ...entry }) => entry);
    first.handOver();
    supervisors.splice(0);
    const second = supervise({ fingerprint: "two", count: 1 }, older);
    second.replaceElders();
    await until("it is gone", () => !older.some(isProcessRunning));
    expect(readFileSync(`${folder}/broker-1.log`, "utf8")).toBe("SIGTERM\n");
  }, 90_000);

  test("send their clients elsewhere before a box ends", async () => {
    const box = supervise({ fingerprint: "one", kind: "busy", count: 1 });
    await listening(box);
    const [entry] = box.entries();
    await box.leave(5_000);
    expect(entry && phaseOf(entry)).toBe("draining");
    await box.end();
    expect(entry && isProcessRunning(entry)).toBe(false);
  }, 90_000);
});
