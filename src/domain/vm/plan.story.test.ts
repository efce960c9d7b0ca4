/**
 * The trail of whole lives as its readers see it: each story is lived by the smallest world there is, and what
 * the planner tells of it stands here word by word. Who changes a sentence sees here how it reads.
 */

import { expect, test } from "bun:test";
import { RUNNING, STARTED, STOPPED, Story } from "../../../test/support/vm-story.ts";
import { VM_LIMITS } from "./facts.ts";

test("a start", () => {
  new Story()
    .wish("running")
    .tells(...STARTED)
    .boot()
    .tells(...RUNNING);
});

test("the first start from an image", () => {
  const story = new Story();
  story.world.isUnpacked = false;
  story
    .wish("running")
    .tells(
      STARTED[0],
      "image-unpack-started: The image is used on this node for the first time and is unpacked now.",
      "image-unpack-ended: The image is unpacked.",
      ...STARTED.slice(1),
    );
});

test("a start that has to wait for others", () => {
  const story = new Story();
  story.world.isTurn = false;
  story
    .wish("running")
    .tells(
      STARTED[0],
      "start-queued: Other desktops are being started first; this one is number 1 in the queue.",
    );
  story.world.isTurn = true;
  story.settle().tells(...STARTED.slice(1));
});

test("a sitting: asked for, left, taken up again", () => {
  const story = new Story().run().skip();
  story.world.requestSession(31);
  story.settle();
  expect(story.world.session?.state).toBe("listening");
  story.world.agent = { ...story.world.agent, xState: "connected" };
  story.settle().tells();
  story.world.agent = { ...story.world.agent, xState: "suspended" };
  story.settle().tells("session-suspended: The client is gone; the session is kept, and its programs go on.");
});

test("a stop", () => {
  const story = new Story().run().skip();
  story.wish("stopped");
  story.tells(
    "stop-taken: The desktop is being shut down: anna@acme asked for it.",
    "poweroff-answered: Its agent has the order; the desktop shuts itself down.",
    STOPPED,
  );
});

test("a stop that the desktop resists to the last", () => {
  const story = new Story().run().skip();
  story.world.isStubborn = true;
  story.wish("stopped").after(VM_LIMITS.goingDownMs).after(VM_LIMITS.terminateMs);
  story.tells(
    "stop-taken: The desktop is being shut down: anna@acme asked for it.",
    "poweroff-answered: Its agent has the order; the desktop shuts itself down.",
    "monitor-terminated: It was not down after 30 s. It is being ended from outside (TERM to its monitor).",
    "kill-sent: It was not down after 10 s. All of it is ended by force (KILL); what was not saved in it is lost.",
    STOPPED,
  );
});

test("a stop whose order the agent can't take", () => {
  const story = new Story().run().skip();
  story.world.wishFor("stopped");
  story.failing("ask-poweroff", "the agent did not answer.").settle();
  story.tells(
    "stop-taken: The desktop is being shut down: anna@acme asked for it.",
    "halt-sent: That failed: the agent did not answer. So the desktop is told from outside to shut down (a signal to its init, a machine's power button).",
    STOPPED,
  );
});

test("a start that is called off", () => {
  const story = new Story();
  story.world.isTurn = false;
  story.wish("running").skip().wish("stopped");
  story.tells("desktop-stopped: The start was called off: anna@acme asked for it.");
});

test("a desktop that never boots", () => {
  const story = new Story().wish("running").skip();
  const late = "The agent did not answer within 60 s of the start.";
  story.after(VM_LIMITS.startTimeoutMs);
  story.tells(
    `start-failed: ${late}`,
    "start-retry-planned: Next try in 2 s (2 of 3).",
    STOPPED,
    "start-taken: The node starts the desktop (try 2 of 3): anna@acme asked for it.",
  );
  story.after(2_000).skip().after(VM_LIMITS.startTimeoutMs).skip().after(4_000).skip();
  story.after(VM_LIMITS.startTimeoutMs);
  story.tells(`start-failed: ${late}`, `start-given-up: Given up after 3 tries: ${late}`, STOPPED);
});

test("a desktop that the box can't start", () => {
  const story = new Story();
  story.world.wishFor("running");
  story.world.carryOut(story.world.plan().steps);
  story.failing("start-container", "starting desktop 1: no room for another control group").settle();
  story.tells(
    STARTED[0],
    STARTED[1],
    "start-failed: The start failed: starting desktop 1: no room for another control group",
    "start-retry-planned: Next try in 2 s (2 of 3).",
  );
});

test("a desktop that may not start", () => {
  const story = new Story();
  story.world.isBlocked = true;
  story.wish("running").tells("start-given-up: Not started: The desktop is blocked: unpaid");
});

test("a desktop that dies, and comes back", () => {
  const story = new Story().run().skip();
  story.world.die();
  story
    .settle()
    .tells(
      "desktop-crashed: The desktop ended although nobody asked for it.",
      "start-retry-planned: Next try in 2 s (2 of 3).",
      STOPPED,
      "start-taken: The node starts the desktop (try 2 of 3): anna@acme asked for it.",
    );
  story.after(2_000).tells(...STARTED.slice(1));
});

test("a desktop that is powered off from inside", () => {
  const story = new Story().run().skip();
  story.world.agent = { ...story.world.agent, isPoweringOff: true };
  story.settle();
  story.world.die();
  story.settle().tells("poweroff-announced: Somebody inside the desktop powered it off.", STOPPED);
  expect(story.world.wish).toBe("stopped");
});

test("an agent that is lost, and comes back", () => {
  const story = new Story().run().skip();
  story.world.loseAgent();
  story.after(VM_LIMITS.agentLostAfterMs);
  story.tells(
    "agent-lost: The agent inside the desktop no longer answers. Who is connected can go on; nobody can connect until it answers.",
  );
  story.boot().tells("agent-connected: The agent answers again.");
});

test("a desktop that is found running though it was noted as stopped", () => {
  const story = new Story();
  story.world.isAlive = true;
  story.world.wishFor("running");
  story.settle().tells("desktop-found: The node found the desktop running although it was noted as stopped.");
  const unwanted = new Story();
  unwanted.world.isAlive = true;
  unwanted
    .settle()
    .tells(
      "desktop-found: The node found the desktop running although it was noted as stopped.",
      "halt-sent: Nobody wants it, so it is told from outside to shut down (a signal to its init, a machine's power button).",
      STOPPED,
    );
});

test("what can't be cleaned up after a stop", () => {
  const story = new Story().run();
  story.world.die();
  story.world.wishFor("stopped");
  story.skip().failing("clean-up", "unmounting /vms/1/root: target is busy");
  story.world.cleanUpFailures = 1;
  story.world.cleanUpFailedAtMs = story.world.nowMs;
  story.world.carryOut(story.world.plan().steps);
  story.tells(
    "clean-up-failed: What is left of the stopped desktop could not be removed; it is tried again: unmounting /vms/1/root: target is busy",
  );
  story.after(2_000).tells("desktop-ended: The desktop has ended.", STOPPED);
});
