import { NOW_MS, sessionOf } from "../../../test/support/vm-facts.ts";
import {
  DEAD,
  FAILED,
  planTable,
  WISHED_RUNNING,
  WISHED_STOPPED,
} from "../../../test/support/vm-plan-table.ts";
import { VM_LIMITS } from "./facts.ts";

const GONE = { agent: { isAttached: false, changedAtMs: NOW_MS - VM_LIMITS.agentGoneAfterMs } };

planTable("running", [
  [
    "is asked to power off when nobody wants it",
    { report: { state: "running" }, wished: WISHED_STOPPED },
    ["report stopping_1 stop-taken", "ask-poweroff", "report stopping_2 poweroff-answered"],
  ],
  [
    "is halted when it has no agent to ask",
    { report: { state: "running" }, wished: WISHED_STOPPED, agent: { isAttached: false } },
    ["report stopping_2 stop-taken halt-sent", "halt"],
  ],
  [
    "has its power button pressed at once where nothing of ours is in it",
    { report: { state: "running" }, wished: WISHED_STOPPED, agent: { isNone: true } },
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
  [
    "notes a newer wish for what is true",
    { report: { state: "running" }, wished: WISHED_RUNNING },
    ["report"],
  ],
  [
    "that ended was a crash, and is tried again",
    { report: { state: "running" }, seen: DEAD },
    ["report stopping_2 desktop-crashed start-retry-planned"],
  ],
  [
    "that crashes time and again is given up",
    { report: { state: "running", tries: 2 }, seen: DEAD },
    ["report stopping_2 desktop-crashed start-given-up"],
  ],
  [
    "that crashes after a long good life begins anew with its tries",
    { report: { state: "running", tries: 2, stateAtMs: NOW_MS - VM_LIMITS.stableAfterMs }, seen: DEAD },
    ["report stopping_2 desktop-crashed start-retry-planned"],
  ],
  [
    "that ended unwanted is no crash",
    { report: { state: "running" }, wished: WISHED_STOPPED, seen: DEAD },
    ["clean-up", "report stopped desktop-ended desktop-stopped"],
  ],
  [
    "that powers itself off wishes itself stopped",
    { report: { state: "running" }, agent: { isPoweringOff: true } },
    ["wish-stopped", "report stopping_2 poweroff-announced"],
  ],
  [
    "that has powered itself off was no crash",
    { report: { state: "running" }, agent: { isPoweringOff: true }, seen: DEAD },
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
    "waits a long while for an agent that was lost",
    {
      report: { state: "running", hasAgent: false },
      agent: { isAttached: false, changedAtMs: NOW_MS - 20_000 },
    },
    [],
    VM_LIMITS.agentGoneAfterMs - 20_000,
  ],
  [
    "is restarted when nobody can use it any more",
    { report: { state: "running", hasAgent: false }, ...GONE },
    ["report stopping_2 desktop-crashed start-retry-planned", "halt"],
  ],
  [
    "is left alone where most agents of its box are silent",
    {
      report: { state: "running", hasAgent: false },
      agent: { ...GONE.agent, areOthersSilent: true },
    },
    [],
    VM_LIMITS.agentLostAfterMs,
  ],
  [
    "is left alone while somebody is at its console",
    {
      report: { state: "running", hasAgent: false },
      agent: { ...GONE.agent, isAtConsole: true },
    },
    [],
    VM_LIMITS.agentLostAfterMs,
  ],
  [
    "is blocked when restarts don't help",
    { report: { state: "running", hasAgent: false, crashes: VM_LIMITS.mostCrashes - 1 }, ...GONE },
    ["block", "report stopping_2 desktop-crashed start-given-up desktop-blocked", "halt"],
  ],
  [
    "goes on without its agent while somebody is connected",
    {
      report: { state: "running", hasAgent: false },
      wished: { session: sessionOf({ state: "listening" }) },
      ...GONE,
    },
    [],
  ],
  [
    "that never had an agent of ours is not missing it",
    {
      report: { state: "running", hasAgent: false },
      agent: { isAttached: false, isNone: true, changedAtMs: NOW_MS - VM_LIMITS.agentGoneAfterMs },
    },
    [],
  ],
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
  [
    "tells of no client that is gone where the session has just begun, for a browser that comes",
    { report: { state: "running", xState: "starting" }, agent: { xState: "suspended" } },
    ["report"],
  ],
]);

planTable("a session request", [
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
    { report: { state: "running" }, wished: { ...WISHED_STOPPED, session: sessionOf() } },
    ["report stopping_1 stop-taken", "ask-poweroff", "report stopping_2 poweroff-answered"],
  ],
]);
