import { describe, expect, test } from "bun:test";
import { type Given, NOW_MS, planOf } from "../../../test/support/vm-facts.ts";
import { planTable, WISHED_STOPPED } from "../../../test/support/vm-plan-table.ts";

const WAITS = { state: "starting_1" } as const;

/** Waits at `place`, due in `inMs`; was told `told`. */
function waiting(
  place: number,
  inMs: number | undefined,
  told?: { readonly place: number; readonly inMs?: number },
): Given {
  return {
    report: {
      ...WAITS,
      queuePosition: told?.place,
      queueDueAtMs: told?.inMs === undefined ? undefined : NOW_MS + told.inMs,
    },
    seen: { queuePosition: place, queueDueAtMs: inMs === undefined ? undefined : NOW_MS + inMs },
  };
}

planTable("a desktop that waits for its turn", [
  ["is told its place before anything was measured", waiting(12, undefined), ["report start-queued"]],
  ["is told its place and its time", waiting(12, 40_000), ["report start-queued"]],
  ["is told its time once there is one", waiting(11, 40_000, { place: 12 }), ["report start-queued"]],
  ["waits in silence while nothing changes", waiting(12, 40_000, { place: 12, inMs: 40_000 }), [], 5_000],
  ["waits in silence while it moves as was told", waiting(9, 30_000, { place: 12, inMs: 29_000 }), [], 5_000],
  [
    "is told again when its time has moved by a quarter",
    waiting(12, 60_000, { place: 12, inMs: 40_000 }),
    ["report start-queued"],
  ],
  [
    "has its row corrected when its time has moved by less",
    waiting(12, 40_000, { place: 12, inMs: 35_000 }),
    ["report"],
  ],
  [
    "has its row corrected when it is half as far back",
    waiting(6, 20_000, { place: 12, inMs: 20_000 }),
    ["report"],
  ],
  ["takes no note of moments", waiting(1, 300, { place: 1, inMs: 100 }), [], 1_000],
  [
    "has its row corrected by less than a second when little is left",
    waiting(2, 1_500, { place: 2, inMs: 900 }),
    ["report"],
  ],
  ["looks again soon while nothing was measured", waiting(12, undefined, { place: 12 }), [], 1_000],
]);

planTable("a desktop that waits for its turn to stop", [
  [
    "is told so once, and goes on",
    { report: { state: "running" }, wished: WISHED_STOPPED, seen: { stopQueuePosition: 3 } },
    ["report stop-queued"],
  ],
  [
    "waits in silence",
    {
      report: { state: "running", queuePosition: 3 },
      wished: WISHED_STOPPED,
      seen: { stopQueuePosition: 2 },
    },
    [],
  ],
  [
    "that dies meanwhile is stopped without a turn",
    {
      report: { state: "running", queuePosition: 3 },
      wished: WISHED_STOPPED,
      seen: { stopQueuePosition: 2, isAlive: false, leftovers: [] },
    },
    ["report stopped desktop-ended desktop-stopped"],
  ],
]);

describe("the words of the queue", () => {
  const textOf = (given: Given) => {
    const [first] = planOf(given).steps;
    return first?.action === "report" ? first.args.events?.[0] : undefined;
  };

  test("name place and time, the time only where it is known", () => {
    expect(textOf(waiting(12, 40_000))).toEqual({
      code: "start-queued",
      text: "Other desktops are being started first; this one is number 12 in the queue, its turn comes in about 40 s.",
      detail: { position: 12, dueInMs: 40_000 },
    });
    expect(textOf(waiting(12, undefined))?.text).toEndWith("number 12 in the queue.");
  });
});
