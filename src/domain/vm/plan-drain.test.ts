import { describe, expect, test } from "bun:test";
import { type Given, NOW_MS, planOf } from "../../../test/support/vm-facts.ts";
import { WISHED_RUNNING } from "../../../test/support/vm-plan-table.ts";
import { DRAINED_HERE } from "./plan-drain.ts";
import type { VmAction } from "./steps.ts";

const MOVES = { mode: "move", canLeave: true } as const;
const FINISHES = { mode: "finish", canLeave: true } as const;
const STAYS = { mode: "move", canLeave: false } as const;

const actions = (given: Given) => planOf(given).steps.map(({ action }) => action);
const events = (given: Given) =>
  planOf(given).steps.flatMap((step) => (step.action === "report" ? (step.args.events ?? []) : []));

describe("a desktop on a node that is being drained", () => {
  const cases: readonly [string, Given, readonly VmAction[]][] = [
    [
      "is stopped gracefully when it is to move",
      { report: { state: "running" }, wished: { drain: MOVES } },
      ["report", "ask-poweroff", "report"],
    ],
    [
      "goes on when it is to finish",
      { report: { state: "running", idleSinceMs: NOW_MS }, wished: { drain: FINISHES } },
      [],
    ],
    [
      "goes on when its home can't move",
      { report: { state: "running", idleSinceMs: NOW_MS }, wished: { drain: STAYS } },
      [],
    ],
    ["leaves once it is stopped", { wished: { wish: "running", drain: MOVES } }, ["release"]],
    ["leaves also when nobody wants it", { wished: { wish: "stopped", drain: FINISHES } }, ["release"]],
    [
      "is cleaned up before it leaves",
      { wished: { wish: "running", drain: MOVES }, seen: { leftovers: ["mount"] } },
      ["clean-up", "release"],
    ],
    [
      "has its wish to be stopped noted before it leaves",
      { wished: { wish: "stopped", generation: 2, drain: FINISHES } },
      ["report", "release"],
    ],
    ["doesn't leave when its home can't", { wished: { wish: "stopped", drain: STAYS } }, []],
    [
      "is deleted rather than given away",
      { wished: { isDeleted: true, drain: MOVES } },
      ["retire-home", "delete-row"],
    ],
    [
      "stays this box's while the box goes down",
      { wished: { wish: "running", isBoxStopping: true, drain: MOVES } },
      [],
    ],
    [
      "isn't called off while it starts, when it is to finish",
      { report: { state: "starting_2" }, wished: { drain: FINISHES } },
      [],
    ],
  ];
  for (const [rule, given, expected] of cases)
    test(rule, () => expect(actions(given)).toEqual([...expected]));

  test("is told why it is stopped, and its wish stands", () => {
    const given: Given = { report: { state: "running" }, wished: { generation: 2, drain: MOVES } };
    expect(events(given)[0]?.text).toBe(
      "The desktop is being shut down: its node is being drained, and it starts again on another.",
    );
    const [patch] = planOf(given).steps;
    expect(patch?.action === "report" ? patch.args.generationSeen : "no report").toBeUndefined();
  });

  test("is refused its start, with the reason, when its home can't move", () => {
    const told = events({ wished: { ...WISHED_RUNNING, drain: STAYS } });
    expect(told.map(({ text }) => text).join(" ")).toContain(DRAINED_HERE);
  });
});
