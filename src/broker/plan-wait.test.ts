import { describe, expect, test } from "bun:test";
import { asId, type UserId, type VmId } from "../domain/ids.ts";
import { planWait, type WaitScene } from "./plan-wait.ts";
import type { DesktopView, SessionView, TrailEvent } from "./store.ts";

const vmId = asId<VmId>(7);
const SESSION: SessionView = {
  state: "requested",
  isSuperseded: false,
  isEnded: false,
  isEndWished: false,
  address: undefined,
  port: undefined,
  faultText: undefined,
};
const DESKTOP: DesktopView = {
  id: vmId,
  userId: asId<UserId>(1),
  name: "office",
  isBlocked: false,
  state: "starting_1",
  wish: "running",
  isApplication: false,
};
const LISTENING = { state: "listening", address: "10.0.0.2", port: 4100 } as const;
const event = (code: TrailEvent["code"], text = ""): TrailEvent => ({ id: 1, code, text });

function scene(
  session: Partial<SessionView> | undefined,
  more: Partial<Omit<WaitScene, "desktop">> & { desktop?: Partial<DesktopView> } = {},
): WaitScene {
  return {
    vmId,
    events: [],
    isOverdue: false,
    ...more,
    session: session === undefined ? undefined : { ...SESSION, ...session },
    desktop: { ...DESKTOP, ...more.desktop },
  };
}

describe("the verdict", () => {
  const refused = (cause: string, reason: string) => ({ kind: "refused", cause, reason });
  const cases: [name: string, scene: WaitScene, verdict: unknown][] = [
    ["waits while the desktop starts", scene({}), { kind: "wait" }],
    ["waits while the session is prepared", scene({ state: "preparing" }), { kind: "wait" }],
    ["is ready when it listens", scene(LISTENING), { kind: "ready", address: "10.0.0.2", port: 4100 }],
    ["waits for an address", scene({ state: "listening" }), { kind: "wait" }],
    [
      "prefers a session that listens over its deadline",
      scene(LISTENING, { isOverdue: true }),
      { kind: "ready", address: "10.0.0.2", port: 4100 },
    ],
    [
      "is refused when superseded, even if it listens",
      scene({ ...LISTENING, isSuperseded: true }),
      refused("superseded", "Another client has taken over this session"),
    ],
    [
      "is refused when its end was wished",
      scene({ ...LISTENING, isEndWished: true }),
      refused("ended-by-administrator", "An administrator has ended this session"),
    ],
    [
      "gives the node's reason",
      scene({ state: "failed", faultText: "No account." }),
      refused("session-failed", "No account."),
    ],
    [
      "gives the trail's reason",
      scene({}, { events: [event("start-failed"), event("start-given-up", "No space.")] }),
      refused("start-failed", "No space."),
    ],
    [
      "keeps the box's paths from people",
      scene(
        {},
        { events: [event("start-given-up", "LXC refused. All of it is in /state/logs/vm-1-lxc.log.")] },
      ),
      refused("start-failed", "LXC refused."),
    ],
    [
      "is refused when somebody wished the desktop stopped",
      scene({}, { desktop: { wish: "stopped" } }),
      refused("start-failed", "Failed to start virtual machine 7"),
    ],
    [
      "ends at the deadline of the start",
      scene({}, { isOverdue: true }),
      refused("timeout", "VM didn't reach state 'running'. Timeout"),
    ],
    [
      "ends at the deadline of the session",
      scene({}, { isOverdue: true, desktop: { state: "running" } }),
      refused("timeout", "The session didn't come up in time"),
    ],
    [
      "is refused when the desktop was deleted",
      scene(undefined),
      refused("start-failed", "The virtual machine has been deleted"),
    ],
  ];
  for (const [name, given, verdict] of cases)
    test(name, () => expect(planWait(given).verdict).toEqual(verdict as never));
});

test("the trail's codes become the original's texts, in order; the others are not for clients", () => {
  const events = [
    "session-requested",
    "start-taken",
    "disks-ready",
    "container-started",
    "session-preparing",
    "session-listening",
  ] as const;
  expect(planWait(scene({}, { events: events.map((code) => event(code)) })).texts).toEqual([
    "Starting virtual machine",
    "Starting X session at VM 7",
    "Waiting for X session to come up on VM 7",
    "Connecting X session for VM_ID: 7",
  ]);
});

test("tells that no node can take the desktop, without naming the nodes", () => {
  const refusal = event("placement-refused", "No node can take it (blocked: box1).");
  expect(planWait(scene({}, { events: [refusal] })).texts).toEqual([
    "No node can take the virtual machine now; it waits for one",
  ]);
  const late = scene({}, { isOverdue: true, isUnplaced: true, desktop: { state: "stopped" } });
  expect(planWait(late).verdict).toMatchObject({ cause: "timeout", reason: "No node could take it in time" });
});

test("says while nothing happens what is waited for, and where in the queue the desktop stands", () => {
  const waitingOf = (desktop: Partial<DesktopView>) => planWait(scene({}, { desktop })).waiting;
  expect(waitingOf({})).toBe("Waiting for VM to reach state 'running'");
  expect(waitingOf({ state: "running" })).toBe("Waiting for X session to come up on VM 7");
  expect(waitingOf({ state: "stopped", queue: { position: 3, dueInMs: 9_000 } })).toBe(
    "Waiting for VM to reach state 'running': number 3 in the queue, about 9 s",
  );
});

test("tells of the place in the queue, as often as it is news", () => {
  const first = event("start-queued", "It is number 12 in the queue, its turn comes in about 40 s.");
  const second = event("start-queued", "It is number 6 in the queue, its turn comes in about 20 s.");
  expect(planWait(scene({}, { events: [first, second] })).texts).toEqual([first.text, second.text]);
});
