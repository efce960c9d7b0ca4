/**
 * The states of a desktop, as the manual names them.
 *
 *                 wish running                 container up              checks passed
 *     stopped ───────────────► starting_1 ───────────────► starting_2 ───────────────► running
 *        ▲                         │                            │                         │
 *        │ nothing left            │ gave up, wish stopped      │ gave up, wish stopped   │ wish stopped, crash
 *        │                         ▼                            ▼                         ▼
 *        ├───────────────── stopping_2 ◄─────────────────── stopping_1 ◄──────────────────┘
 *        │                   │     ▲      agent answered, or had no say     │
 *        │                   │     └────────────────────────────────────────┘
 *        │                   ▼ not down in time
 *        └── zombie_2 ◄── zombie_1
 *            (KILL)        (TERM to its monitor)
 *
 * starting_1: order taken, waits for its turn, its image and its disks. It leads to stopping_1 too: a node that ended between
 *             a start and its report finds the agent there already.
 * starting_2: started; not all checks passed yet (boots, has its address, agent answers).
 * stopping_1: order taken, the agent was asked to power off.
 * stopping_2: the agent answered, or the halt signal was sent; going down.
 * zombie_1:   not answering: TERM to its monitor.  zombie_2: KILL, until the kernel says that nothing is left.
 */

import { invariant } from "../../lib/errors.ts";

export const VM_STATES = [
  "stopped",
  "starting_1",
  "starting_2",
  "running",
  "stopping_1",
  "stopping_2",
  "zombie_1",
  "zombie_2",
] as const;

export type VmState = (typeof VM_STATES)[number];

/** Where a state may lead. A state may always be reported again. */
export const TRANSITIONS = {
  stopped: ["starting_1", "stopping_2"],
  // Straight to stopping_1 when the node ended between a start and its report, and the agent is there already.
  starting_1: ["starting_2", "stopping_1", "stopping_2", "stopped"],
  starting_2: ["running", "stopping_1", "stopping_2", "zombie_1", "stopped"],
  running: ["stopping_1", "stopping_2", "zombie_1", "starting_2", "stopped"],
  stopping_1: ["stopping_2", "zombie_1", "stopped"],
  stopping_2: ["zombie_1", "stopped"],
  zombie_1: ["zombie_2", "stopped"],
  zombie_2: ["stopped"],
} as const satisfies Record<VmState, readonly VmState[]>;

/** Returns `to`, or throws: an illegal transition is a bug of the planner. */
export function changeState(from: VmState, to: VmState): VmState {
  const allowed: readonly VmState[] = TRANSITIONS[from];
  invariant(from === to || allowed.includes(to), `a desktop can't go from ${from} to ${to}`);
  return to;
}

/** What QVD clients are told: the plain five. */
export type ClientVmState = "stopped" | "starting" | "running" | "stopping" | "zombie";

const CLIENT_STATES = {
  stopped: "stopped",
  starting_1: "starting",
  starting_2: "starting",
  running: "running",
  stopping_1: "stopping",
  stopping_2: "stopping",
  zombie_1: "zombie",
  zombie_2: "zombie",
} as const satisfies Record<VmState, ClientVmState>;

export function clientState(state: VmState): ClientVmState {
  return CLIENT_STATES[state];
}
