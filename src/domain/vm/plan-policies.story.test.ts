/** Lives that end by what an OSF promises, and those that health checks bear on, as their trail tells them. */

import { expect, test } from "bun:test";
import { RUNNING, STARTED, STOPPED, Story } from "../../../test/support/vm-story.ts";
import { VM_LIMITS } from "./facts.ts";

const MINUTE = 60_000;
const TAKEN = (why: string) => `stop-taken: The desktop is being shut down: ${why}.`;
const ANSWERED = "poweroff-answered: Its agent has the order; the desktop shuts itself down.";

/** Somebody came and went: their session waits. */
function left(story: Story): Story {
  story.world.requestSession(31);
  story.settle();
  story.world.session = undefined;
  story.world.agent = { ...story.world.agent, xState: "suspended" };
  return story.settle().skip();
}

test("a desktop that nobody comes back to", () => {
  const story = new Story().run();
  story.world.policy = { idleStopMs: 10 * MINUTE, onCrash: "restart" };
  left(story)
    .after(9 * MINUTE)
    .tells();
  story.after(MINUTE).tells(TAKEN("nobody is connected any more"), ANSWERED, STOPPED);
  expect([story.world.wish, story.world.wishedBy]).toEqual(["stopped", "system:idle"]);
});

test("a desktop whose person comes back in time", () => {
  const story = new Story().run();
  story.world.policy = { idleStopMs: 10 * MINUTE, onCrash: "restart" };
  left(story).after(9 * MINUTE);
  story.world.requestSession(32);
  story.settle().after(60 * MINUTE);
  expect(story.world.report.state).toBe("running");
  story.world.session = undefined;
  story.settle().after(9 * MINUTE);
  expect(story.world.report.state).toBe("running");
  story.after(MINUTE);
  expect(story.world.report.state).toBe("stopped");
});

test("a desktop that is to stop at once, started by hand and never entered", () => {
  const story = new Story();
  story.world.policy = { idleStopMs: 0, onCrash: "restart" };
  story
    .run()
    .skip()
    .after(14 * MINUTE)
    .tells();
  story.after(MINUTE).tells(TAKEN("nobody is connected any more"), ANSWERED, STOPPED);
});

test("a desktop that ends by itself and is to stay so", () => {
  const story = new Story().run().skip();
  story.world.policy = { idleStopMs: undefined, onCrash: "leave" };
  story.world.die();
  story.settle();
  story.tells(
    "desktop-crashed: The desktop ended although nobody asked for it. Its OS flavour says to leave it stopped.",
    STOPPED,
  );
  expect([story.world.wish, story.world.wishedBy]).toEqual(["stopped", "system:crashed"]);
});

test("a desktop that keeps ending, whoever asks again", () => {
  const story = new Story();
  for (let wish = 0; wish < 3; wish++) {
    story.wish("running");
    for (let life = 0; life < 3; life++) {
      story.after(VM_LIMITS.mostBackoffMs).skip();
      story.boot();
      story.world.die();
      if (life < 2) story.settle();
    }
    story.skip().settle();
    if (wish < 2) expect(story.world.isBlocked).toBe(false);
  }
  const why = "The desktop ended although nobody asked for it.";
  story.tells(
    `desktop-crashed: ${why}`,
    `start-given-up: Given up after 3 tries: ${why}`,
    `desktop-blocked: Blocked by its node: it failed 9 times in a row, the last time like this: ${why} Unblock it to have it tried again.`,
    STOPPED,
  );
  expect(story.world.isBlocked).toBe(true);
  story.world.isBlocked = false;
  story.run();
  expect(story.world.report).toMatchObject({ state: "running", crashes: 0 });
});

test("failures long ago, forgotten by a desktop that has run well", () => {
  const story = new Story().run();
  story.world.die();
  story.settle().after(VM_LIMITS.mostBackoffMs).boot();
  expect(story.world.report.crashes).toBe(1);
  story.skip().after(VM_LIMITS.stableAfterMs).tells();
  expect(story.world.report.crashes).toBe(0);
});

test("a desktop whose image has a newer version", () => {
  const story = new Story().run();
  story.world.expiresSoftAtMs = story.world.nowMs + MINUTE;
  story.world.expiresHardAtMs = story.world.nowMs + 61 * MINUTE;
  left(story).after(MINUTE);
  story.tells(
    "expiry-told: The person inside was told: There is a newer version of this desktop. Please save your work and shut it down; in 60 min it is stopped by itself.",
  );
  story.after(59 * MINUTE).tells();
  story.after(MINUTE).tells(TAKEN("a newer image was published"), ANSWERED, STOPPED);
  expect(story.world.wishedBy).toBe("system:expired");
  expect(story.world.expiresHardAtMs).toBeUndefined();
});

test("an expiry that nobody is there to hear of", () => {
  const story = new Story().run().skip();
  story.world.expiresSoftAtMs = story.world.nowMs;
  story.settle().after(MINUTE).tells();
  left(story);
  expect(story.world.trail.filter(({ code }) => code === "expiry-told")).toHaveLength(1);
});

test("a desktop that boots without its network", () => {
  const story = new Story().wish("running").skip();
  story.world.network = { isOk: false, code: "no-answer", text: "it doesn't answer at 10.77.0.9." };
  story.boot();
  story.tells("health-fault: The desktop's network is broken: it doesn't answer at 10.77.0.9.");
  story.world.network = { isOk: true };
  story.settle().tells(RUNNING[0], "health-restored: The desktop's network is right again.", RUNNING[1]);
  expect(story.world.report).toMatchObject({ hasNetwork: true, fault: undefined });
});

test("a running desktop whose network and agent both fail", () => {
  const story = new Story().run().skip();
  story.world.network = { isOk: false, code: "interface-down", text: "its interface is down" };
  story.settle().tells("health-fault: The desktop's network is broken: its interface is down");
  story.world.loseAgent();
  story.after(VM_LIMITS.agentLostAfterMs).skip();
  expect(story.world.report.fault?.code).toBe("agent-lost");
  story.boot();
  // What is left of two troubles is still told.
  expect(story.world.report.fault?.code).toBe("network-broken");
  story.world.network = { isOk: true };
  story.settle();
  expect(story.world.report.fault).toBeUndefined();
});

test("a desktop started again after a fault of its box counts no failure of its own", () => {
  const story = new Story();
  story.world.wishFor("running");
  story.world.carryOut(story.world.plan().steps);
  story.failing("start-container", "no room for another control group").settle();
  expect(story.world.report).toMatchObject({ tries: 1, crashes: 0 });
  story.after(VM_LIMITS.mostBackoffMs).skip();
  story.boot();
  expect(story.world.report.state).toBe("running");
  expect(STARTED).toHaveLength(3);
});

test("a machine without our agent is never held to be idle", () => {
  const story = new Story().run();
  story.world.policy = { idleStopMs: 0, onCrash: "restart" };
  story.world.agent = { ...story.world.agent, isNone: true };
  story
    .skip()
    .after(60 * MINUTE)
    .tells();
  expect(story.world.report.state).toBe("running");
});

test("a machine without our agent is told to have been stopped by its power button, not to have failed", () => {
  const story = new Story().run();
  story.world.agent = { ...story.world.agent, isNone: true };
  story.world.wishFor("stopped");
  const reported = story.world.plan().steps.map((one) => JSON.stringify(one));
  expect(reported.join()).toContain("There is no agent in it, so the machine's power button is pressed.");
  expect(reported.join()).not.toContain("failed");
});

test("a visit that is over before the node has looked counts from its end", () => {
  const story = new Story();
  story.world.policy = { idleStopMs: 10 * MINUTE, onCrash: "restart" };
  story.run().after(5 * MINUTE);
  story.world.wasVisited = true;
  story.world.agent = { ...story.world.agent, xState: "suspended" };
  story.settle().after(9 * MINUTE);
  expect(story.world.report.state).toBe("running");
  story.after(MINUTE);
  expect(story.world.report.state).toBe("stopped");
});
