import { describe, expect, test } from "bun:test";
import { changeState, clientState, nextStates, TRANSITIONS, VM_STATES, type VmState } from "./state.ts";

const PAIRS = VM_STATES.flatMap((from) => VM_STATES.map((to) => [from, to] as const));
const mayGo = (from: VmState, to: VmState) => nextStates(from).includes(to);

describe("a desktop's state", () => {
  test.each(VM_STATES.map((state) => [state]))("%s may be reported again", (state) => {
    expect(changeState(state, state)).toBe(state);
  });

  test.each(PAIRS.filter(([from, to]) => mayGo(from, to)))("may go from %s to %s", (from, to) => {
    expect(changeState(from, to)).toBe(to);
  });

  test.each(PAIRS.filter(([from, to]) => from !== to && !mayGo(from, to)))(
    "may not go from %s to %s",
    (from, to) => {
      expect(() => changeState(from, to)).toThrow(`from ${from} to ${to}`);
    },
  );

  test("leads to stopped from wherever it is, so that nothing is ever stuck", () => {
    for (const start of VM_STATES) expect(reach(start)).toContain("stopped");
  });

  test("leads to running from stopped, and never from a desktop that is going down", () => {
    expect(reach("stopped")).toContain("running");
    for (const down of ["stopping_1", "stopping_2", "zombie_1", "zombie_2"] as const)
      for (const next of nextStates(down))
        expect(["starting_1", "starting_2", "running"]).not.toContain(next);
  });
});

test("each transition has its reason, in words", () => {
  for (const reasons of Object.values(TRANSITIONS))
    for (const reason of Object.values(reasons)) expect(reason).toMatch(/^[a-z].{8,}[^.]$/);
});

describe("clients are told", () => {
  test.each([
    ["stopped", "stopped"],
    ["starting_1", "starting"],
    ["starting_2", "starting"],
    ["running", "running"],
    ["stopping_1", "stopping"],
    ["stopping_2", "stopping"],
    ["zombie_1", "zombie"],
    ["zombie_2", "zombie"],
  ] as const)("of %s as %s", (state, told) => {
    expect(clientState(state)).toBe(told);
  });
});

function reach(start: VmState): ReadonlySet<VmState> {
  const seen = new Set<VmState>([start]);
  for (const state of seen) for (const next of nextStates(state)) seen.add(next);
  return seen;
}
