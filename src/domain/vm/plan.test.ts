import { describe, expect, test } from "bun:test";
import { DI, formatPlan, type Given, NOW_MS, planOf, sessionOf } from "../../../test/support/vm-facts.ts";
import { VM_LIMITS } from "./facts.ts";

type Case = readonly [rule: string, given: Given, steps: readonly string[], wakeInMs?: number];

const FAILED = { code: "driver-failed", text: "it did not work" } as const;
const RUNNING = { wish: "running", generation: 2 } as const;
const STOPPED = { wish: "stopped", generation: 2 } as const;
const dead = { isAlive: false };
const START = [
  "prepare-disks",
  "report disks-ready",
  "start-container",
  "report starting_2 container-started",
];

function table(name: string, cases: readonly Case[]): void {
  describe(name, () => {
    for (const [rule, given, steps, wakeInMs] of cases)
      test(rule, () => {
        const plan = planOf(given);
        expect(formatPlan(plan)).toEqual([...steps]);
        expect(plan.wakeAtMs).toBe(wakeInMs === undefined ? undefined : NOW_MS + wakeInMs);
      });
  });
}

table("a settled desktop", [
  ["stopped and wished so is left alone", {}, []],
  ["running and wished so is left alone", { report: { state: "running" } }, []],
  ["that was never wished is left alone", { wished: { generation: 0 }, report: { generationSeen: 0 } }, []],
  [
    "given up for this wish is left alone",
    { wished: { wish: "running" }, report: { tries: 3, fault: { code: "start-given-up", text: "no" } } },
    [],
  ],
  [
    "with a session that listens is left alone",
    { report: { state: "running" }, wished: { session: sessionOf({ state: "listening" }) } },
    [],
  ],
  [
    "with a session that failed is left alone",
    { report: { state: "running" }, wished: { session: sessionOf({ state: "failed" }) } },
    [],
  ],
]);

table("a stopped desktop", [
  ["is taken for a start when somebody wants it", { wished: RUNNING }, ["report starting_1 start-taken"]],
  [
    "is tried again within the same wish",
    { wished: { wish: "running" }, report: { tries: 2 } },
    ["report starting_1 start-taken"],
  ],
  [
    "is tried afresh by a new wish after it was given up",
    { wished: RUNNING, report: { tries: 3 } },
    ["report starting_1 start-taken"],
  ],
  ["is not started without the lease", { wished: RUNNING, seen: { hasLease: false } }, []],
  [
    "that is blocked is refused with the reason",
    { wished: { ...RUNNING, blockedReason: "unpaid" } },
    ["report stopped start-given-up"],
  ],
  [
    "without a usable image is refused with the reason",
    { wished: { ...RUNNING, image: { kind: "unusable", text: "no image" } } },
    ["report stopped start-given-up"],
  ],
  [
    "whose image is still checked is taken, and waits for it later",
    { wished: { ...RUNNING, image: { kind: "pending", text: "checked" } } },
    ["report starting_1 start-taken"],
  ],
  ["notes a wish to be stopped that is already true", { wished: STOPPED }, ["report"]],
  ["is cleaned up when something of it lies about", { seen: { leftovers: ["group"] } }, ["clean-up"]],
  [
    "that runs after all is adopted when somebody wants it",
    { wished: RUNNING, seen: { isAlive: true } },
    ["report starting_1 desktop-found", "report starting_2"],
  ],
  [
    "that runs after all is halted when nobody wants it",
    { seen: { isAlive: true } },
    ["report stopping_2 desktop-found halt-sent", "halt"],
  ],
  [
    "that is deleted loses its home and its row",
    { wished: { isDeleted: true } },
    ["retire-home", "delete-row"],
  ],
  [
    "that is deleted is cleaned up first",
    { wished: { isDeleted: true }, seen: { leftovers: ["mount"] } },
    ["clean-up", "retire-home", "delete-row"],
  ],
  [
    "that is deleted is not started although it is wished",
    { wished: { ...RUNNING, isDeleted: true } },
    ["retire-home", "delete-row"],
  ],
  ["is not started while the box goes down", { wished: { ...RUNNING, isBoxStopping: true } }, []],
  [
    "tells a client who waits that nobody starts it",
    { wished: { session: sessionOf() } },
    ["report-session failed"],
  ],
  [
    "tells a client who waits that it was given up",
    { wished: { wish: "running", session: sessionOf() }, report: { tries: 3 } },
    ["report-session failed"],
  ],
]);

table("starting_1", [
  ["goes all the way when image, disks and turn are there", { report: { state: "starting_1" } }, START],
  [
    "unpacks the image first where it is not",
    { report: { state: "starting_1" }, wished: { image: { kind: "ready", diId: DI, isUnpacked: false } } },
    ["report image-unpack-started", "unpack-image", "report image-unpack-ended", ...START],
  ],
  [
    "says its place in the queue once",
    { report: { state: "starting_1" }, seen: { queuePosition: 3 } },
    ["report start-queued"],
  ],
  [
    "waits in the queue in silence",
    { report: { state: "starting_1" }, seen: { queuePosition: 2, wasQueued: true } },
    [],
  ],
  ["waits without the lease", { report: { state: "starting_1" }, seen: { hasLease: false } }, []],
  ["waits for its next try", { report: { state: "starting_1", nextTryAtMs: NOW_MS + 700 } }, [], 700],
  ["tries again when it is time", { report: { state: "starting_1", nextTryAtMs: NOW_MS } }, START],
  [
    "waits for an image that is being checked, but not for ever",
    { report: { state: "starting_1" }, wished: { image: { kind: "pending", text: "x" } } },
    [],
    VM_LIMITS.imageTimeoutMs,
  ],
  [
    "is refused when the image is not there in time",
    {
      report: { state: "starting_1", stateAtMs: NOW_MS - VM_LIMITS.imageTimeoutMs },
      wished: { image: { kind: "pending", text: "x" } },
    },
    ["report stopped start-given-up"],
  ],
  [
    "is refused when the image turns out broken",
    { report: { state: "starting_1" }, wished: { image: { kind: "unusable", text: "x" } } },
    ["report stopped start-given-up"],
  ],
  [
    "is refused when it is blocked meanwhile",
    { report: { state: "starting_1" }, wished: { blockedReason: "x" } },
    ["report stopped start-given-up"],
  ],
  [
    "is cleaned up before it starts",
    { report: { state: "starting_1" }, seen: { leftovers: ["veth"] } },
    ["clean-up"],
  ],
  [
    "counts a failure and plans the next try",
    { report: { state: "starting_1" }, seen: { failure: { ...FAILED, action: "start-container" } } },
    ["report start-failed start-retry-planned"],
  ],
  [
    "gives up at the last failure",
    { report: { state: "starting_1", tries: 2 }, seen: { failure: { ...FAILED, action: "unpack-image" } } },
    ["report stopping_2 start-failed start-given-up"],
  ],
  [
    "goes on with a container that lives although its start was said to have failed",
    {
      report: { state: "starting_1" },
      seen: { failure: { ...FAILED, action: "start-container" }, isAlive: true },
    },
    ["report starting_2 container-started"],
  ],
  [
    "sees that its container is up",
    { report: { state: "starting_1" }, seen: { isAlive: true } },
    ["report starting_2 container-started"],
  ],
  ["is called off", { report: { state: "starting_1" }, wished: STOPPED }, ["report stopped desktop-stopped"]],
  [
    "is called off and cleaned up",
    { report: { state: "starting_1" }, wished: STOPPED, seen: { leftovers: ["mount"] } },
    ["clean-up", "report stopped desktop-stopped"],
  ],
  [
    "is halted when it is called off and lives",
    { report: { state: "starting_1" }, wished: STOPPED, seen: { isAlive: true } },
    ["report stopping_2 stop-taken halt-sent", "halt"],
  ],
  [
    "begins afresh with a newer wish",
    { report: { state: "starting_1", tries: 2 }, wished: RUNNING },
    ["report"],
  ],
  [
    "is called off when the box goes down",
    { report: { state: "starting_1" }, wished: { isBoxStopping: true } },
    ["report stopped desktop-stopped"],
  ],
]);

table("starting_2", [
  ["waits for the agent", { report: { state: "starting_2" } }, [], VM_LIMITS.startTimeoutMs],
  [
    "runs when the agent answers",
    { report: { state: "starting_2" }, agent: { isAttached: true } },
    ["report running agent-connected desktop-running"],
  ],
  [
    "fails when the agent does not answer in time, and is taken down",
    { report: { state: "starting_2", stateAtMs: NOW_MS - VM_LIMITS.startTimeoutMs } },
    ["report stopping_2 start-failed start-retry-planned", "halt"],
  ],
  [
    "fails when it ends",
    { report: { state: "starting_2" }, seen: dead },
    ["report stopping_2 start-failed start-retry-planned"],
  ],
  [
    "gives up at the last failure",
    { report: { state: "starting_2", tries: 2 }, seen: dead },
    ["report stopping_2 start-failed start-given-up"],
  ],
  [
    "is halted when nobody wants it any more",
    { report: { state: "starting_2" }, wished: STOPPED },
    ["report stopping_2 stop-taken halt-sent", "halt"],
  ],
  [
    "is asked when nobody wants it and its agent is there already",
    { report: { state: "starting_2" }, wished: STOPPED, agent: { isAttached: true } },
    ["report stopping_1 stop-taken", "ask-poweroff", "report stopping_2 poweroff-answered"],
  ],
  [
    "that powers itself off wishes itself stopped",
    { report: { state: "starting_2" }, agent: { isPoweringOff: true } },
    ["wish-stopped", "report stopping_2 poweroff-announced"],
  ],
  [
    "is no failure when it ends unwanted",
    { report: { state: "starting_2" }, wished: STOPPED, seen: dead },
    ["clean-up", "report stopped desktop-stopped"],
  ],
]);

table("running", [
  [
    "is asked to power off when nobody wants it",
    { report: { state: "running" }, wished: STOPPED },
    ["report stopping_1 stop-taken", "ask-poweroff", "report stopping_2 poweroff-answered"],
  ],
  [
    "is halted when it has no agent to ask",
    { report: { state: "running" }, wished: STOPPED, agent: { isAttached: false } },
    ["report stopping_2 stop-taken halt-sent", "halt"],
  ],
  [
    "is stopped when it is deleted",
    { report: { state: "running" }, wished: { isDeleted: true } },
    ["report stopping_1 stop-taken", "ask-poweroff", "report stopping_2 poweroff-answered"],
  ],
  [
    "is stopped when the box goes down",
    { report: { state: "running" }, wished: { isBoxStopping: true } },
    ["report stopping_1 stop-taken", "ask-poweroff", "report stopping_2 poweroff-answered"],
  ],
  ["goes on when it is blocked", { report: { state: "running" }, wished: { blockedReason: "unpaid" } }, []],
  ["goes on without the lease", { report: { state: "running" }, seen: { hasLease: false } }, []],
  [
    "goes on when its image is withdrawn",
    { report: { state: "running" }, wished: { image: { kind: "unusable", text: "x" } } },
    [],
  ],
  ["notes a newer wish for what is true", { report: { state: "running" }, wished: RUNNING }, ["report"]],
  [
    "that ended was a crash, and is tried again",
    { report: { state: "running" }, seen: dead },
    ["report stopping_2 desktop-crashed start-retry-planned"],
  ],
  [
    "that crashes time and again is given up",
    { report: { state: "running", tries: 2 }, seen: dead },
    ["report stopping_2 desktop-crashed start-given-up"],
  ],
  [
    "that crashes after a long good life begins anew with its tries",
    { report: { state: "running", tries: 2, stateAtMs: NOW_MS - VM_LIMITS.stableAfterMs }, seen: dead },
    ["report stopping_2 desktop-crashed start-retry-planned"],
  ],
  [
    "that ended unwanted is no crash",
    { report: { state: "running" }, wished: STOPPED, seen: dead },
    ["clean-up", "report stopped desktop-ended desktop-stopped"],
  ],
  [
    "that powers itself off wishes itself stopped",
    { report: { state: "running" }, agent: { isPoweringOff: true } },
    ["wish-stopped", "report stopping_2 poweroff-announced"],
  ],
  [
    "that has powered itself off was no crash",
    { report: { state: "running" }, agent: { isPoweringOff: true }, seen: dead },
    ["wish-stopped", "clean-up", "report stopped poweroff-announced desktop-stopped"],
  ],
  [
    "forgives an agent that is away for a moment",
    { report: { state: "running" }, agent: { isAttached: false, changedAtMs: NOW_MS - 1_000 } },
    [],
    14_000,
  ],
  [
    "tells of an agent that stays away",
    { report: { state: "running" }, agent: { isAttached: false, changedAtMs: NOW_MS - 15_000 } },
    ["report agent-lost"],
  ],
  ["tells once of it", { report: { state: "running", hasAgent: false }, agent: { isAttached: false } }, []],
  [
    "tells of an agent that is back",
    { report: { state: "running", hasAgent: false } },
    ["report agent-connected"],
  ],
  [
    "tells the state of the X session",
    { report: { state: "running", xState: "listening" }, agent: { xState: "connected" } },
    ["report"],
  ],
  [
    "tells of a session that is suspended",
    { report: { state: "running", xState: "connected" }, agent: { xState: "suspended" } },
    ["report session-suspended"],
  ],
]);

table("a session request", [
  [
    "is prepared",
    { report: { state: "running" }, wished: { session: sessionOf() } },
    ["report-session preparing", "prepare-session", "report-session listening"],
  ],
  [
    "that was being prepared when the node ended is prepared again",
    { report: { state: "running" }, wished: { session: sessionOf({ state: "preparing" }) } },
    ["prepare-session", "report-session listening"],
  ],
  [
    "waits for an agent that restarts",
    {
      report: { state: "running" },
      wished: { session: sessionOf() },
      agent: { isAttached: false, changedAtMs: NOW_MS },
    },
    [],
    VM_LIMITS.agentLostAfterMs,
  ],
  [
    "fails when the agent stays away",
    {
      report: { state: "running", hasAgent: false },
      wished: { session: sessionOf({ requestedAtMs: NOW_MS - VM_LIMITS.sessionAgentMs }) },
      agent: { isAttached: false },
    },
    ["report-session failed"],
  ],
  [
    "fails with the guest's reason",
    {
      report: { state: "running" },
      wished: { session: sessionOf() },
      seen: { failure: { ...FAILED, action: "prepare-session" } },
    },
    ["report-session failed"],
  ],
  [
    "waits while the desktop starts",
    { report: { state: "starting_2" }, wished: { session: sessionOf() } },
    [],
    VM_LIMITS.startTimeoutMs,
  ],
  [
    "does not keep a desktop that is wished stopped",
    { report: { state: "running" }, wished: { ...STOPPED, session: sessionOf() } },
    ["report stopping_1 stop-taken", "ask-poweroff", "report stopping_2 poweroff-answered"],
  ],
]);

table("stopping_1", [
  ["waits 5 s for the answer", { report: { state: "stopping_1" } }, [], 5_000],
  [
    "signals init when no answer comes",
    { report: { state: "stopping_1", stateAtMs: NOW_MS - 5_000 } },
    ["report stopping_2 halt-sent", "halt"],
  ],
  [
    "signals init at once when the agent can't",
    { report: { state: "stopping_1" }, seen: { failure: { ...FAILED, action: "ask-poweroff" } } },
    ["report stopping_2 halt-sent", "halt"],
  ],
  [
    "is over when nothing lives",
    { report: { state: "stopping_1" }, seen: dead },
    ["clean-up", "report stopped desktop-stopped"],
  ],
  [
    "goes on to its end although it is wanted again",
    { report: { state: "stopping_1" }, wished: RUNNING },
    [],
    5_000,
  ],
]);

table("stopping_2", [
  ["waits 30 s for the end", { report: { state: "stopping_2" } }, [], 30_000],
  [
    "becomes a zombie when it does not end",
    { report: { state: "stopping_2", stateAtMs: NOW_MS - 30_000 } },
    ["report zombie_1 monitor-terminated", "terminate"],
  ],
  [
    "becomes a zombie at once when it can't be halted",
    { report: { state: "stopping_2" }, seen: { failure: { ...FAILED, action: "halt" } } },
    ["report zombie_1 monitor-terminated", "terminate"],
  ],
  [
    "is over when nothing lives",
    { report: { state: "stopping_2" }, seen: dead },
    ["clean-up", "report stopped desktop-stopped"],
  ],
  [
    "is over when nothing is left at all",
    { report: { state: "stopping_2" }, seen: { isAlive: false, leftovers: [] } },
    ["report stopped desktop-stopped"],
  ],
]);

table("zombie_1", [
  ["waits 10 s for the monitor", { report: { state: "zombie_1" } }, [], 10_000],
  [
    "is killed when the monitor can't end it",
    { report: { state: "zombie_1", stateAtMs: NOW_MS - 10_000 } },
    ["report zombie_2 kill-sent", "kill"],
  ],
  [
    "is killed at once when TERM can't be sent",
    { report: { state: "zombie_1" }, seen: { failure: { ...FAILED, action: "terminate" } } },
    ["report zombie_2 kill-sent", "kill"],
  ],
  [
    "is over when nothing lives",
    { report: { state: "zombie_1" }, seen: dead },
    ["clean-up", "report stopped desktop-stopped"],
  ],
]);

table("zombie_2", [
  ["is killed again after a restart of the node", { report: { state: "zombie_2" } }, ["kill"]],
  [
    "waits between two kills",
    { report: { state: "zombie_2" }, seen: { killedAtMs: NOW_MS - 4_000 } },
    [],
    6_000,
  ],
  [
    "is killed until nothing is left",
    { report: { state: "zombie_2" }, seen: { killedAtMs: NOW_MS - 10_000 } },
    ["kill"],
  ],
  [
    "stays as long as something lives, whatever is wished",
    { report: { state: "zombie_2" }, wished: RUNNING, seen: { killedAtMs: NOW_MS } },
    [],
    10_000,
  ],
  [
    "is over when nothing lives",
    { report: { state: "zombie_2" }, seen: dead },
    ["clean-up", "report stopped desktop-stopped"],
  ],
]);

table("a clean-up that failed", [
  [
    "is told of, and waited with",
    {
      report: { state: "stopping_2" },
      seen: {
        ...dead,
        failure: { ...FAILED, action: "clean-up" },
        cleanUpFailures: 1,
        cleanUpFailedAtMs: NOW_MS,
      },
    },
    ["report clean-up-failed"],
    2_000,
  ],
  [
    "is not told of again for the same reason",
    {
      report: { state: "stopping_2", fault: { code: "clean-up-failed", text: FAILED.text } },
      seen: {
        ...dead,
        failure: { ...FAILED, action: "clean-up" },
        cleanUpFailures: 2,
        cleanUpFailedAtMs: NOW_MS,
      },
    },
    [],
    4_000,
  ],
  [
    "is tried again",
    {
      report: { state: "stopping_2" },
      seen: { ...dead, cleanUpFailures: 1, cleanUpFailedAtMs: NOW_MS - 2_000 },
    },
    ["clean-up", "report stopped desktop-stopped"],
  ],
  [
    "keeps the desktop from starting",
    {
      report: { state: "starting_1" },
      seen: {
        leftovers: ["mount"],
        cleanUpFailures: 1,
        cleanUpFailedAtMs: NOW_MS,
        failure: { ...FAILED, action: "clean-up" },
      },
    },
    ["report clean-up-failed"],
    2_000,
  ],
]);

describe("what a plan writes", () => {
  const patches = (given: Given) =>
    planOf(given).steps.flatMap((step) => (step.action === "report" ? [step.args] : []));

  test("a try backs off 2 s, then 4 s", () => {
    for (const [tries, waitMs] of [
      [0, 2_000],
      [1, 4_000],
    ] as const) {
      const failure = { ...FAILED, action: "start-container" } as const;
      const [patch] = patches({ report: { state: "starting_1", tries }, seen: { failure } });
      expect(patch).toMatchObject({ tries: tries + 1, nextTryAtMs: NOW_MS + waitMs });
    }
  });

  test("a start that was given up keeps the reason of its last failure", () => {
    const failure = { ...FAILED, action: "start-container" } as const;
    const [patch] = patches({ report: { state: "starting_1", tries: 2 }, seen: { failure } });
    expect(patch).toMatchObject({ fault: { code: "start-given-up", text: FAILED.text }, nextTryAtMs: null });
    expect(patch?.events?.at(-1)?.text).toBe("Given up after 3 tries: it did not work");
  });

  test("a refusal leaves no try for the same wish", () => {
    const [patch] = patches({ wished: { ...RUNNING, blockedReason: "unpaid" } });
    expect(patch).toMatchObject({ tries: VM_LIMITS.mostTries, generationSeen: 2 });
    expect(patch?.fault?.text).toContain("unpaid");
  });

  test("an order to stop forgets earlier faults, and names who gave it", () => {
    const [patch] = patches({ report: { state: "running", tries: 2 }, wished: STOPPED });
    expect(patch).toMatchObject({ tries: 0, fault: null, generationSeen: 2 });
    expect(patch?.events?.[0]?.text).toBe("Order to stop taken: user:anna@acme asked for it.");
  });

  test("a box that goes down leaves wish and tries as they are, so that the desktop starts again with it", () => {
    const [patch] = patches({ report: { state: "running", tries: 1 }, wished: { isBoxStopping: true } });
    expect(patch).not.toHaveProperty("generationSeen");
    expect(patch).not.toHaveProperty("tries");
  });

  test("a power-off from inside names the generation that it saw, so that a newer wish stands", () => {
    const plan = planOf({ report: { state: "running" }, agent: { isPoweringOff: true } });
    expect(plan.steps[0]).toMatchObject({ action: "wish-stopped", args: { generation: 1 } });
  });

  test("every step says why", () => {
    for (const given of [
      { wished: RUNNING },
      { report: { state: "starting_1" } },
      { report: { state: "running" }, wished: STOPPED },
    ] as const)
      for (const step of planOf(given).steps) expect(step.reason.length).toBeGreaterThan(5);
  });
});
