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
 * starting_2: started; not all checks passed yet (booted, its agent answers, its network is right).
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

/** Where a state may lead, and why. A state may always be reported again. */
export const TRANSITIONS = {
  stopped: {
    starting_1: "somebody wants it up, or it was found running and somebody does",
    stopping_2: "it was found running and nobody wants it",
  },
  starting_1: {
    starting_2: "its container is up",
    stopping_1: "called off, after the node had ended between the start and its report: its agent is asked",
    stopping_2: "the last try failed, or it powered itself off, or it was called off without an agent to ask",
    stopped: "called off, or given up, with nothing of it running",
  },
  starting_2: {
    running: "it passed its checks: booted, agent, network",
    stopping_1: "called off: its agent is asked",
    stopping_2: "the try failed, or it powered itself off, or it was called off before its agent was there",
    stopped: "called off, and it had ended already",
  },
  running: {
    stopping_1: "nobody wants it any more: its agent is asked",
    stopping_2: "nobody wants it and no agent answers; or it powered itself off, or crashed",
    stopped: "it ended, and nobody wants it",
  },
  stopping_1: {
    stopping_2: "its agent answered, or did not in time and it is signalled from outside",
    stopped: "it is down",
  },
  stopping_2: {
    zombie_1: "not down in time: TERM to its monitor",
    stopped: "it is down",
  },
  zombie_1: {
    zombie_2: "not down in time: KILL",
    stopped: "it is down",
  },
  zombie_2: {
    stopped: "the kernel says that nothing is left",
  },
} as const satisfies Record<VmState, Partial<Record<VmState, string>>>;

/** States that may follow. */
export function nextStates(from: VmState): readonly VmState[] {
  const next: Partial<Record<VmState, string>> = TRANSITIONS[from];
  return VM_STATES.filter((state) => next[state] !== undefined);
}

/** Returns `to`, or throws: an illegal transition is a bug of the planner. */
export function changeState(from: VmState, to: VmState): VmState {
  invariant(from === to || nextStates(from).includes(to), `a desktop can't go from ${from} to ${to}`);
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
