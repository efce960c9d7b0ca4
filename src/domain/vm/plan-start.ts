/**
 * The way up: taking the order, turn, image, disks, container, agent. Tries are counted per generation; a
 * failed one is backed off, the last one gives up and leaves its reasons in the trail.
 */

import { backoffMs } from "../../lib/backoff.ts";
import { hidePaths } from "../access/hide-paths.ts";
import { nameActor } from "../access/name-actor.ts";
import type { VmFacts, VmImage, VmPlan, VmReport } from "./facts.ts";
import { NETWORK_RESTORED, networkBroken } from "./health.ts";
import { blockedEvent, blockSteps, isKeptDown } from "./plan-block.ts";
import { DRAINED_HERE } from "./plan-drain.ts";
import { hasWaitedForDisk, isHeldDisk, waitForDisk } from "./plan-held-disk.ts";
import { planQueued } from "./plan-queue.ts";
import { failWaitingSession, planEarlySession, planSession } from "./plan-session.ts";
import { tearDown } from "./plan-stop.ts";
import { beside, step, type VmEventDraft, type VmReportPatch, type VmStep } from "./steps.ts";

const BOOTING = "The desktop is switched on and boots; its agent will answer when it has.";

/** Stopped, and somebody wants it up. */
export function planStoppedButWished(facts: VmFacts): VmPlan {
  const { desired, observed, limits } = facts;
  const { report } = observed;
  const isNewWish = desired.generation > report.generationSeen;
  const tries = isNewWish ? 0 : report.tries;
  if (tries >= limits.mostTries)
    return observed.leftovers.length > 0
      ? tearDown(facts, [])
      : failWaitingSession(desired.session, hidePaths(report.fault?.text ?? "The desktop can't be started."));
  if (!observed.hasLease) return { steps: [], wakeAtMs: undefined };
  if (desired.blockedReason !== undefined)
    return refuse(facts, `The desktop is blocked: ${desired.blockedReason}`);
  if (desired.drain !== undefined) return refuse(facts, DRAINED_HERE);
  if (desired.image.kind === "unusable") return refuse(facts, desired.image.text);
  const which = tries === 0 ? "" : ` (try ${tries + 1} of ${limits.mostTries})`;
  return {
    steps: [
      step(
        "report",
        {
          state: "starting_1",
          generationSeen: desired.generation,
          tries,
          ...(isNewWish ? { nextTryAtMs: null, fault: null } : {}),
          // It was blocked for that, and a person has unblocked it.
          ...(report.crashes >= limits.mostCrashes ? { crashes: 0 } : {}),
          events: [
            {
              code: "start-taken",
              text: `The node starts the desktop${which}: ${nameActor(desired.wishedBy)} asked for it.`,
            },
          ],
        },
        `${desired.wishedBy} wants it running`,
      ),
    ],
    wakeAtMs: undefined,
  };
}

/** starting_1 and starting_2 while somebody wants it up. */
export function planStarting(facts: VmFacts): VmPlan {
  const { observed, desired } = facts;
  if (desired.generation > observed.report.generationSeen && observed.failure === undefined)
    return only(
      step(
        "report",
        { generationSeen: desired.generation, tries: 0, nextTryAtMs: null, fault: null },
        "a new wish starts afresh with its tries",
      ),
    );
  return observed.report.state === "starting_1" ? planBeforeContainer(facts) : planBooting(facts);
}

function planBeforeContainer(facts: VmFacts): VmPlan {
  const { desired, observed, nowMs, limits } = facts;
  const { report } = observed;
  if (observed.isAlive)
    return only(
      step(
        "report",
        {
          state: "starting_2",
          events: [{ code: "container-started", text: BOOTING }],
        },
        "its container is up",
      ),
    );
  if (observed.failure !== undefined && isHeldDisk(observed.failure))
    return waitForDisk(facts, observed.failure);
  if (observed.failure !== undefined && observed.failure.action !== "clean-up")
    return failTry(facts, observed.failure.text, `The start failed: ${observed.failure.text}`);
  if (observed.leftovers.length > 0) return tearDown(facts, []);
  if (!observed.hasLease) return { steps: [], wakeAtMs: undefined };
  if (desired.blockedReason !== undefined)
    return refuse(facts, `The desktop is blocked: ${desired.blockedReason}`);
  if (report.nextTryAtMs !== undefined && nowMs < report.nextTryAtMs)
    return { steps: [], wakeAtMs: report.nextTryAtMs };
  switch (desired.image.kind) {
    case "unusable":
      return refuse(facts, desired.image.text);
    case "pending": {
      const end = report.stateAtMs + limits.imageTimeoutMs;
      return nowMs >= end ? refuse(facts, desired.image.text) : { steps: [], wakeAtMs: end };
    }
    case "ready":
      return observed.queuePosition > 0
        ? planQueued(facts)
        : { steps: upSteps(desired.image, report), wakeAtMs: undefined };
  }
}

/**
 * Its incarnation is told before it begins: no two lives have the same, whatever happens in between. That, and that its disks are
 * ready, is told while something is done that takes longer; where the disks may be refused once more it is told once they are there, so
 * that what only waits tells nothing.
 */
function upSteps(image: Extract<VmImage, { kind: "ready" }>, report: VmReport): VmStep[] {
  const { diId } = image;
  const incarnation = report.incarnation + 1;
  const say = (event: VmEventDraft, reason: string, more: VmReportPatch = {}) =>
    step("report", { ...more, events: [event] }, reason);
  const unpack = image.isUnpacked
    ? []
    : [
        say(
          { code: "image-unpack-started", text: unpackText(image) },
          "first start from this image",
          NO_PLACE,
        ),
        step("unpack-image", { diId }, "the image is not unpacked on this box"),
        say({ code: "image-unpack-ended", text: "The image is unpacked." }, "unpacked"),
      ];
  // It waits no more.
  const life = step("report", { diId, incarnation, ...NO_PLACE }, "a life of its own begins");
  const prepare = step("prepare-disks", { diId }, "a fresh system layer over the image, and the home");
  const disksReady: VmEventDraft = {
    code: "disks-ready",
    text: "Its disks are ready: a fresh system and its home.",
  };
  const disks =
    hasWaitedForDisk(report) && report.queuePosition === undefined
      ? [prepare, step("report", { ...life.args, events: [disksReady] }, life.reason)]
      : [beside(life), prepare, beside(say(disksReady, "mounted"))];
  return [
    ...unpack,
    ...disks,
    step("start-container", { diId, incarnation }, "image and disks are ready"),
    say({ code: "container-started", text: BOOTING }, "its container is up", { state: "starting_2" }),
  ];
}

const NO_PLACE = { queuePosition: null, queueDueAtMs: null } satisfies VmReportPatch;

function unpackText({ isBeingUnpacked = false }: Extract<VmImage, { kind: "ready" }>): string {
  return isBeingUnpacked
    ? "The image is new on this node and is being unpacked; the start waits for that."
    : "The image is used on this node for the first time and is unpacked now.";
}

function planBooting(facts: VmFacts): VmPlan {
  const { observed, nowMs, limits } = facts;
  const { report, agent, network } = observed;
  if (!observed.isAlive)
    return failTry(
      facts,
      "The desktop ended before its agent answered: the system in its image, or our agent in it, can't run.",
    );
  const early = planEarlySession(facts);
  if (early !== undefined) return early;
  const end = report.stateAtMs + limits.startTimeoutMs;
  if (agent.isAttached && network?.isOk !== false) return planUp(facts);
  if (nowMs < end) return agent.isAttached ? planWithoutNetwork(facts, end) : { steps: [], wakeAtMs: end };
  const within = `within ${Math.round(limits.startTimeoutMs / 1000)} s of the start`;
  return failTry(
    facts,
    network?.isOk === false && agent.isAttached
      ? `Its network did not come up ${within}: ${network.text}`
      : `The agent did not answer ${within}.`,
  );
}

const AGENT_ANSWERS: VmEventDraft = {
  code: "agent-connected",
  text: "The desktop has booted: its agent answers.",
};
const RUNNING_ALONE = "The machine runs. There is no agent in it, so this is all that is known of it.";
const EMULATED: VmEventDraft = {
  code: "machine-emulated",
  text: "The machine is emulated, and many times slower than it could be: `qvd node status` says why.",
};

function planUp(facts: VmFacts): VmPlan {
  const { desired, observed, nowMs } = facts;
  const { agent, network, report } = observed;
  return {
    steps: [
      step(
        "report",
        {
          state: "running",
          hasAgent: true,
          xState: agent.xState,
          nextTryAtMs: null,
          fault: null,
          ...(network === undefined ? {} : { hasNetwork: true }),
          ...(desired.session === undefined ? { idleSinceMs: nowMs } : {}),
          events: [
            ...(agent.isNone ? [] : [AGENT_ANSWERS]),
            ...(report.hasNetwork === false ? [NETWORK_RESTORED] : []),
            { code: "desktop-running", text: agent.isNone ? RUNNING_ALONE : "The desktop is running." },
            ...(observed.isEmulated ? [EMULATED] : []),
          ],
        },
        "it passed its checks",
      ),
      // Whoever caused the start waits.
      ...planSession(facts, desired.session).steps,
    ],
    wakeAtMs: undefined,
  };
}

/** Its agent answers, so it has booted; it isn't running before its network is right. */
function planWithoutNetwork(facts: VmFacts, end: number): VmPlan {
  const { observed, nowMs, limits } = facts;
  const again = { steps: [], wakeAtMs: Math.min(end, nowMs + limits.networkAgainMs) };
  if (observed.report.hasNetwork === false || observed.network?.isOk !== false) return again;
  return only(step("report", networkBroken(observed.network), "its network is not right yet"));
}

/**
 * One try is over; what is left of it goes down first, then the next plan tries again or has given up. A
 * desktop that was started and didn't come up counts that as a failure of its own.
 */
export function failTry(facts: VmFacts, text: string, told = text): VmPlan {
  const { observed, desired } = facts;
  const { report } = observed;
  const tries = report.tries + 1;
  const crashes = report.state === "starting_2" ? report.crashes + 1 : report.crashes;
  const event: VmEventDraft = { code: "start-failed", text: told };
  const count = countTry(facts, tries, { event, why: text, crashes });
  const patch = { ...count, generationSeen: desired.generation };
  const isOver = isGivenUp(facts, count.tries ?? tries);
  if (!observed.isAlive && report.state === "starting_1" && !isOver) return only(step("report", patch, text));
  const block = report.state === "starting_2" ? blockSteps(facts, crashes, text) : [];
  const down = step("report", { ...patch, state: "stopping_2" }, text);
  const halt = observed.isAlive ? [step("halt", {}, "a start that failed is taken down")] : [];
  return { steps: [...block, down, ...halt], wakeAtMs: undefined };
}

/** What becomes known when try number `tries` has failed, the `crashes`th failure of the desktop's own in a row. */
export function countTry(
  facts: VmFacts,
  tries: number,
  { event, why, crashes }: { readonly event: VmEventDraft; readonly why: string; readonly crashes: number },
): VmReportPatch & { readonly events: readonly VmEventDraft[] } {
  const { limits, nowMs, observed } = facts;
  const isBlocked = crashes > observed.report.crashes && isKeptDown(facts, crashes);
  if (isBlocked || isGivenUp(facts, tries)) {
    const givenUp = { code: "start-given-up" as const, text: `Given up after ${tries} tries: ${why}` };
    return {
      tries: Math.max(tries, limits.mostTries),
      crashes,
      nextTryAtMs: null,
      fault: { code: "start-given-up", text: why },
      events: isBlocked ? [event, givenUp, blockedEvent(crashes, why)] : [event, givenUp],
    };
  }
  const waitMs = backoffMs(tries, { firstMs: limits.firstBackoffMs, mostMs: limits.mostBackoffMs });
  return {
    tries,
    crashes,
    nextTryAtMs: nowMs + waitMs,
    fault: { code: event.code, text: why },
    events: [
      event,
      {
        code: "start-retry-planned",
        text: `Next try in ${Math.round(waitMs / 1000)} s (${tries + 1} of ${limits.mostTries}).`,
      },
    ],
  };
}

function isGivenUp(facts: VmFacts, tries: number): boolean {
  return tries >= facts.limits.mostTries;
}

/** Trying again would not help: given up at once, with the reason. */
function refuse(facts: VmFacts, text: string): VmPlan {
  const { desired, limits } = facts;
  return tearDown(facts, [
    step(
      "report",
      {
        state: "stopped",
        generationSeen: desired.generation,
        tries: limits.mostTries,
        nextTryAtMs: null,
        fault: { code: "start-given-up", text },
        events: [{ code: "start-given-up", text: `Not started: ${text}` }],
      },
      text,
    ),
  ]);
}

function only(single: VmStep): VmPlan {
  return { steps: [single], wakeAtMs: undefined };
}
