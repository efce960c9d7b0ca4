import { expect, test } from "bun:test";
import { DI, NOW_MS, planOf, sessionOf } from "../../../test/support/vm-facts.ts";
import {
  DEAD,
  FAILED,
  planTable,
  WISHED_RUNNING,
  WISHED_STOPPED,
} from "../../../test/support/vm-plan-table.ts";
import { asId, type SessionId } from "../ids.ts";
import { VM_LIMITS } from "./facts.ts";

const START = [
  // Its incarnation, which is told while its disks are made.
  "report",
  "prepare-disks",
  "report disks-ready",
  "start-container",
  "report starting_2 container-started",
];

planTable("a settled desktop", [
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

planTable("a stopped desktop", [
  [
    "is taken for a start when somebody wants it",
    { wished: WISHED_RUNNING },
    ["report starting_1 start-taken"],
  ],
  [
    "is tried again within the same wish",
    { wished: { wish: "running" }, report: { tries: 2 } },
    ["report starting_1 start-taken"],
  ],
  [
    "is tried afresh by a new wish after it was given up",
    { wished: WISHED_RUNNING, report: { tries: 3 } },
    ["report starting_1 start-taken"],
  ],
  ["is not started without the lease", { wished: WISHED_RUNNING, seen: { hasLease: false } }, []],
  [
    "that is blocked is refused with the reason",
    { wished: { ...WISHED_RUNNING, blockedReason: "unpaid" } },
    ["report stopped start-given-up"],
  ],
  [
    "without a usable image is refused with the reason",
    { wished: { ...WISHED_RUNNING, image: { kind: "unusable", text: "no image" } } },
    ["report stopped start-given-up"],
  ],
  [
    "whose image is still checked is taken, and waits for it later",
    { wished: { ...WISHED_RUNNING, image: { kind: "pending", text: "checked" } } },
    ["report starting_1 start-taken"],
  ],
  ["notes a wish to be stopped that is already true", { wished: WISHED_STOPPED }, ["report"]],
  ["is cleaned up when something of it lies about", { seen: { leftovers: ["group"] } }, ["clean-up"]],
  [
    "that runs after all is adopted when somebody wants it",
    { wished: WISHED_RUNNING, seen: { isAlive: true } },
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
    { wished: { ...WISHED_RUNNING, isDeleted: true } },
    ["retire-home", "delete-row"],
  ],
  ["is not started while the box goes down", { wished: { ...WISHED_RUNNING, isBoxStopping: true } }, []],
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

planTable("a desktop that was given up", [
  [
    "is cleaned up all the same",
    { wished: { wish: "running" }, report: { tries: 3 }, seen: { leftovers: ["veth"] } },
    ["clean-up"],
  ],
  [
    "tells who waits, also when its reason was lost",
    { wished: { wish: "running", session: sessionOf() }, report: { tries: 3, fault: undefined } },
    ["report-session failed"],
  ],
  [
    "tells who waits only once",
    { wished: { wish: "running", session: sessionOf({ state: "failed" }) }, report: { tries: 3 } },
    [],
  ],
]);

test("who waits for a desktop that was given up is told why, without where files lie on its box", () => {
  const fault = {
    code: "start-given-up",
    text: "Mounting /srv/qvd/vms/1: it is full. See /var/log/qvd.",
  } as const;
  const wished = { wish: "running", session: sessionOf() } as const;
  const told = JSON.stringify(planOf({ wished, report: { tries: 3, fault } }));
  expect(told).toContain("Mounting …: it is full.");
  expect(told).not.toContain("/srv/qvd");
  expect(told).not.toContain("/var/log");
});

planTable("starting_1", [
  ["goes all the way when image, disks and turn are there", { report: { state: "starting_1" } }, START],
  [
    "unpacks the image first where it is not",
    { report: { state: "starting_1" }, wished: { image: { kind: "ready", diId: DI, isUnpacked: false } } },
    ["report image-unpack-started", "unpack-image", "report image-unpack-ended", ...START],
  ],
  [
    "waits for the unpacking that the box has begun",
    {
      report: { state: "starting_1" },
      wished: { image: { kind: "ready", diId: DI, isUnpacked: false, isBeingUnpacked: true } },
    },
    ["report image-unpack-started", "unpack-image", "report image-unpack-ended", ...START],
  ],
  [
    "takes no notice of an unpacking that it doesn't need",
    {
      report: { state: "starting_1" },
      wished: { image: { kind: "ready", diId: DI, isUnpacked: true, isBeingUnpacked: true } },
    },
    START,
  ],
  [
    "is asked to power off when its agent is there before its report, and nobody wants it",
    {
      report: { state: "starting_1" },
      wished: WISHED_STOPPED,
      seen: { isAlive: true },
      agent: { isAttached: true },
    },
    ["report stopping_1 stop-taken", "ask-poweroff", "report stopping_2 poweroff-answered"],
  ],
  [
    "says its place in the queue once",
    { report: { state: "starting_1" }, seen: { queuePosition: 3 } },
    ["report start-queued"],
  ],
  [
    "waits in the queue in silence",
    { report: { state: "starting_1", queuePosition: 2 }, seen: { queuePosition: 2 } },
    [],
    1_000,
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
  [
    "is called off",
    { report: { state: "starting_1" }, wished: WISHED_STOPPED },
    ["report stopped desktop-stopped"],
  ],
  [
    "is called off and cleaned up",
    { report: { state: "starting_1" }, wished: WISHED_STOPPED, seen: { leftovers: ["mount"] } },
    ["clean-up", "report stopped desktop-stopped"],
  ],
  [
    "is halted when it is called off and lives",
    { report: { state: "starting_1" }, wished: WISHED_STOPPED, seen: { isAlive: true } },
    ["report stopping_2 stop-taken halt-sent", "halt"],
  ],
  [
    "begins afresh with a newer wish",
    { report: { state: "starting_1", tries: 2 }, wished: WISHED_RUNNING },
    ["report"],
  ],
  [
    "is called off when the box goes down",
    { report: { state: "starting_1" }, wished: { isBoxStopping: true } },
    ["report stopped desktop-stopped"],
  ],
]);

planTable("starting_2", [
  ["waits for the agent", { report: { state: "starting_2" } }, [], VM_LIMITS.startTimeoutMs],
  [
    "runs when the agent answers",
    { report: { state: "starting_2" }, agent: { isAttached: true } },
    ["report running agent-connected desktop-running"],
  ],
  [
    "prepares the session of the client that waits, in the same plan",
    {
      report: { state: "starting_2" },
      wished: { session: sessionOf({ state: "requested" }) },
      agent: { isAttached: true },
    },
    [
      "report running agent-connected desktop-running",
      "report-session preparing",
      "prepare-session",
      "report-session listening",
    ],
  ],
  [
    "fails when the agent does not answer in time, and is taken down",
    { report: { state: "starting_2", stateAtMs: NOW_MS - VM_LIMITS.startTimeoutMs } },
    ["report stopping_2 start-failed start-retry-planned", "halt"],
  ],
  [
    "fails when it ends",
    { report: { state: "starting_2" }, seen: DEAD },
    ["report stopping_2 start-failed start-retry-planned"],
  ],
  [
    "gives up at the last failure",
    { report: { state: "starting_2", tries: 2 }, seen: DEAD },
    ["report stopping_2 start-failed start-given-up"],
  ],
  [
    "is halted when nobody wants it any more",
    { report: { state: "starting_2" }, wished: WISHED_STOPPED },
    ["report stopping_2 stop-taken halt-sent", "halt"],
  ],
  [
    "is asked when nobody wants it and its agent is there already",
    { report: { state: "starting_2" }, wished: WISHED_STOPPED, agent: { isAttached: true } },
    ["report stopping_1 stop-taken", "ask-poweroff", "report stopping_2 poweroff-answered"],
  ],
  [
    "that powers itself off wishes itself stopped",
    { report: { state: "starting_2" }, agent: { isPoweringOff: true } },
    ["wish-stopped", "report stopping_2 poweroff-announced"],
  ],
  [
    "is no failure when it ends unwanted",
    { report: { state: "starting_2" }, wished: WISHED_STOPPED, seen: DEAD },
    ["clean-up", "report stopped desktop-stopped"],
  ],
]);

const LISTENS = { sessionId: sessionOf().id, isListening: true };
const OTHER = { ...LISTENS, sessionId: asId<SessionId>(32) };

planTable("starting_2 with a session that began with the desktop", [
  [
    "gives it out as soon as it listens, with or without an agent",
    { report: { state: "starting_2" }, wished: { session: sessionOf() }, seen: { earlySession: LISTENS } },
    ["report-session listening"],
  ],
  [
    "gives it out before it is said to run",
    {
      ...{ report: { state: "starting_2" }, wished: { session: sessionOf() } },
      ...{ agent: { isAttached: true }, seen: { earlySession: LISTENS } },
    },
    ["report-session listening"],
  ],
  [
    "waits on while it does not listen",
    {
      ...{ report: { state: "starting_2" }, wished: { session: sessionOf() } },
      seen: { earlySession: { ...LISTENS, isListening: false } },
    },
    [],
    VM_LIMITS.startTimeoutMs,
  ],
  [
    "waits for the agent when another session is asked for by now",
    { report: { state: "starting_2" }, wished: { session: sessionOf() }, seen: { earlySession: OTHER } },
    [],
    VM_LIMITS.startTimeoutMs,
  ],
  [
    "gives nobody a session that the network doesn't lead to",
    {
      ...{ report: { state: "starting_2" }, wished: { session: sessionOf() } },
      seen: { earlySession: LISTENS, network: { isOk: false, code: "no-answer", text: "It is silent." } },
    },
    [],
    VM_LIMITS.startTimeoutMs,
  ],
  [
    "has still to answer by its agent once it is given out",
    {
      ...{ wished: { session: sessionOf({ state: "listening" }) }, seen: { earlySession: LISTENS } },
      report: { state: "starting_2", stateAtMs: NOW_MS - VM_LIMITS.startTimeoutMs },
    },
    ["report stopping_2 start-failed start-retry-planned", "halt"],
  ],
]);
