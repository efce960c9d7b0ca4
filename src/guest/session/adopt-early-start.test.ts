import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { createLog } from "../../lib/log.ts";
import { waitFor } from "../../lib/wait.ts";
import { adoptEarlyStart } from "./adopt-early-start.ts";
import { listProcesses, readProcess } from "./processes.ts";
import { readRecord } from "./record.ts";

const UID = process.getuid?.() ?? 0;
const ORDER = { account: { login: "alice", uid: UID, fullName: "" }, session: 5 };

let folder: string;
const children: Bun.Subprocess[] = [];
beforeEach(() => {
  log = "";
  folder = mkdtempSync(`${tmpdir()}/qvd-adopt-`);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

const places = () => ({ early: `${folder}/early`, record: `${folder}/session.json` });

let log: string;
const adopt = (scriptMs = 5_000) =>
  adoptEarlyStart(places(), ORDER, {
    log: createLog({
      level: "info",
      write: (line) => {
        log += line;
      },
      now: () => new Date(),
    }),
    scriptMs,
    graceMs: 1_000,
  });

function begin(command: readonly string[], isLeader: boolean): number {
  const child = Bun.spawn([...command], { stdio: ["ignore", "ignore", "ignore"], detached: isLeader });
  children.push(child);
  writeFileSync(places().early, `${child.pid}\n`);
  return child.pid;
}

test("a session that init has begun becomes one that is found again", async () => {
  const pid = begin(["sleep", "60"], true);
  expect(await adopt()).toBe(true);
  expect(readRecord(places().record)).toMatchObject({
    leader: { pid },
    nxagent: null,
    session: 5,
    login: "alice",
    uid: UID,
  });
});

test("a script that has ended without one leaves nothing to adopt", async () => {
  begin(["true"], true);
  await children[0]?.exited;
  expect(await adopt()).toBe(false);
  expect(readRecord(places().record)).toBeUndefined();
});

test("a script that is still at it is waited for", async () => {
  begin(["sh", "-c", "sleep 0.1; exec setsid sleep 60"], false);
  expect(await adopt()).toBe(true);
});

test("nothing was begun", async () => {
  expect(await adopt()).toBe(false);
});

const isGone = (pid: number) => {
  const seen = readProcess(pid);
  return seen === undefined || seen.isZombie;
};
const childrenOf = (pid: number) => listProcesses().filter(({ parent }) => parent === pid);

for (const [what, script, by] of [
  ["that takes too long is ended, with what it waits for", "sleep 60; true", "SIGTERM"],
  ["that won't be told is killed", "trap '' TERM; sleep 60; sleep 60; true", "SIGKILL"],
] as const)
  test(`a script ${what}, and the log says so`, async () => {
    const pid = begin(["sh", "-c", script], false);
    expect(await waitFor(() => childrenOf(pid).length === 1, { timeoutMs: 5_000, everyMs: 1 })).toBe(true);
    const [child] = childrenOf(pid);
    expect(await adopt(50)).toBe(false);
    expect([isGone(pid), isGone(child?.pid ?? 0)]).toEqual([true, true]);
    expect(log).toContain("early-start-ended");
    expect(log).toContain(by);
    expect(readRecord(places().record)).toBeUndefined();
  });
