/** How the states of a desktop are shown: the manual's eight as people read them. */

import type { VmState } from "../domain/vm/state.ts";
import type { Tone } from "./tone.ts";

export const VM_STATE_TEXTS = {
  stopped: { tone: "idle", text: "Stopped", title: "stopped" },
  starting_1: {
    tone: "busy",
    text: "Starting",
    title: "starting_1: waits for its turn, its image and its disks",
  },
  starting_2: { tone: "busy", text: "Booting", title: "starting_2: started, not all checks passed yet" },
  running: { tone: "good", text: "Running", title: "running" },
  stopping_1: { tone: "warn", text: "Stopping", title: "stopping_1: its agent was asked to power off" },
  stopping_2: { tone: "warn", text: "Shutting down", title: "stopping_2: going down" },
  zombie_1: { tone: "bad", text: "Not answering", title: "zombie_1: its monitor is being ended" },
  zombie_2: { tone: "bad", text: "Being killed", title: "zombie_2: killed, until nothing is left" },
} as const satisfies Record<VmState, { readonly tone: Tone; readonly text: string; readonly title: string }>;

/** The groups that lists filter by and the overview counts. */
export const STATE_GROUPS = [
  { key: "running", text: "Running", tone: "good", states: ["running"] },
  { key: "starting", text: "Starting", tone: "busy", states: ["starting_1", "starting_2"] },
  { key: "stopping", text: "Stopping", tone: "warn", states: ["stopping_1", "stopping_2"] },
  { key: "zombie", text: "Not answering", tone: "bad", states: ["zombie_1", "zombie_2"] },
  { key: "stopped", text: "Stopped", tone: "idle", states: ["stopped"] },
] as const satisfies readonly {
  readonly key: string;
  readonly text: string;
  readonly tone: Tone;
  readonly states: readonly VmState[];
}[];

export type StateGroup = (typeof STATE_GROUPS)[number]["key"];

export function parseStateGroup(text: string | undefined): StateGroup | undefined {
  return STATE_GROUPS.find((group) => group.key === text)?.key;
}

export function statesOf(group: StateGroup): readonly VmState[] {
  return STATE_GROUPS.find((each) => each.key === group)?.states ?? [];
}
