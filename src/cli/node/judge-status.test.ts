import { describe, expect, test } from "bun:test";
import type { NodeFacts } from "../../domain/node/report.ts";
import { judgeStatus, type Seen, type SeenNode } from "./judge-status.ts";
import { formatAge, renderStatus } from "./render-status.ts";

const facts: NodeFacts = {
  version: "1.2.3",
  pid: 42,
  instance: "qvd",
  cpus: 4,
  memoryMb: 8000,
  memoryFreeMb: 5000,
  diskFreeMb: 90_000,
  lease: { epoch: 3, isHeld: true },
  workers: [
    { name: "auth", pid: 1, state: "running", startedAtMs: 0, restarts: 0, connections: null },
    { name: "broker-1", pid: 2, state: "running", startedAtMs: 0, restarts: 2, connections: 1 },
  ],
  desktops: { running: 1 },
  problems: [],
};
const node: SeenNode = {
  name: "box",
  state: "running",
  isBlocked: false,
  reportAgeMs: 2_000,
  isLeaseValid: true,
  epoch: 3,
  leaseValidUntil: "2030-01-01T00:00:00.000Z",
  leaseLapsedMs: null,
  leaseLostMs: null,
  facts,
};
const seen: Seen = {
  name: "box",
  process: { pid: 42, isRunning: true },
  node,
  databaseFault: undefined,
  desktops: [],
  certificateDays: 14,
};
const dead = { pid: 42, isRunning: false };
const problem = { text: "Only 3 MB are free.", advice: "Delete something." };

const CASES: readonly [string, Seen, string, RegExp | undefined][] = [
  ["everything is as it should be", seen, "well", undefined],
  [
    "the node said that something is wrong",
    { ...seen, node: { ...node, facts: { ...facts, problems: [problem] } } },
    "degraded",
    /3 MB/,
  ],
  [
    "the lease has lapsed",
    { ...seen, node: { ...node, isLeaseValid: false } },
    "degraded",
    /lease has lapsed/,
  ],
  ["its certificate lapses soon", { ...seen, certificateDays: 13.9 }, "degraded", /lapses in 13 d/],
  ["its certificate has lapsed", { ...seen, certificateDays: -0.1 }, "degraded", /has lapsed/],
  ["its certificate can't be read", { ...seen, certificateDays: undefined }, "well", undefined],
  ["an administrator blocked it", { ...seen, node: { ...node, isBlocked: true } }, "degraded", /blocked/],
  ["it is still starting", { ...seen, node: { ...node, state: "starting" } }, "degraded", /starting/],
  ["it has been silent", { ...seen, node: { ...node, reportAgeMs: 40_000 } }, "degraded", /not reported/],
  [
    "the database is away while it runs",
    { ...seen, node: undefined, databaseFault: "refused" },
    "degraded",
    /refused/,
  ],
  ["its process has ended", { ...seen, process: dead }, "down", /does not run/],
  [
    "its process has ended and the database is away",
    { ...seen, process: dead, node: undefined },
    "down",
    /can't be asked/,
  ],
  [
    "it never ran here, and says nothing",
    { ...seen, process: undefined, node: "unregistered" },
    "down",
    /was ever started/,
  ],
  ["nothing is known of it", { ...seen, process: undefined, node: undefined }, "unknown", /was ever started/],
  ["it runs somewhere we can't see", { ...seen, process: undefined }, "unknown", /was ever started/],
];

describe("a node", () => {
  test.each(CASES)("when %s", (_, what, verdict, text) => {
    const judgement = judgeStatus(what);
    expect(judgement.verdict).toBe(verdict as typeof judgement.verdict);
    const texts = judgement.problems.map((one) => one.text).join("\n");
    if (text === undefined) expect(texts).toBe("");
    else expect(texts).toMatch(text);
    for (const { advice } of judgement.problems) expect(advice.length).toBeGreaterThan(10);
  });

  test("is shown with state, lease, workers, sessions and desktops", () => {
    const desktop = { id: 1, name: "anna-desk", user: "anna", state: "running", ageSeconds: 3_700 } as const;
    const desktops = [{ ...desktop, isConnected: false, xState: "suspended", fault: null }];
    const text = renderStatus({ ...seen, desktops }, judgeStatus(seen));
    expect(text).toContain("Node box is well.");
    expect(text).toMatch(/State +running, process 42, version 1.2.3/);
    expect(text).toMatch(/Lease +held \(epoch 3\)/);
    expect(text).toMatch(/broker-1 +running, 1 session, 2 restarts/);
    expect(text).toContain("anna-desk  running for 1 h 1 min, suspended, of anna");
  });

  test("whose brokers turned connections away says how many", () => {
    const workers = facts.workers.map((worker) => ({ ...worker, turnedAway: 12 }));
    const busy: Seen = { ...seen, node: { ...node, facts: { ...facts, workers } } };
    expect(renderStatus(busy, judgeStatus(busy))).toMatch(/broker-1 +running, 1 session, 12 turned away, 2/);
  });

  test("that is being emptied says so, and is well all the same", () => {
    const emptied: Seen = { ...seen, node: { ...node, drain: "move" } };
    expect(judgeStatus(emptied).verdict).toBe("well");
    expect(renderStatus(emptied, judgeStatus(emptied))).toMatch(/State +running, drained, process 42/);
    const desktop = {
      id: 1,
      name: "d",
      user: "u",
      state: "running",
      ageSeconds: 1,
      isConnected: false,
    } as const;
    const busy: Seen = { ...emptied, desktops: [{ ...desktop, xState: "none", fault: null }] };
    expect(renderStatus(busy, judgeStatus(busy))).toContain("running, draining (desktops move), process");
  });

  test("that has a problem is shown with it and what to do", () => {
    const what = { ...seen, process: dead };
    const text = renderStatus(what, judgeStatus(what));
    expect(text).toContain("Node box is down.");
    expect(text).toMatch(/! The node process does not run.*\n {2}Start it/);
  });
});

describe("an age", () => {
  test.each([
    [0, "0 s"],
    [59.9, "59 s"],
    [60, "1 min"],
    [3_661, "1 h 1 min"],
    [90_000, "1 d 1 h"],
    [-5, "0 s"],
  ])("of %p seconds is %p", (seconds, text) => {
    expect(formatAge(seconds)).toBe(text);
  });
});
