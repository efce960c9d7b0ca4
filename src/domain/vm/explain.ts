/**
 * Why a desktop is as it is: what is wished, what is true, why they differ, what was tried, what happens next
 * and when, and what a person can do. Pure, and said in the planner's terms, so that what is told to happen
 * is what the plan does. Pages, commands and programs get the same.
 */

import type { AdministratorActor } from "../access/actor.ts";
import { isOfSite } from "../access/decide-access.ts";
import { hideImagePaths, hidePaths } from "../access/hide-paths.ts";
import { eventTextFor } from "./event-text.ts";
import { adviseOn } from "./explain-advice.ts";
import type { Candidate, ExplainEvent, ExplainFacts, ExplainReport, Explanation } from "./explain-facts.ts";
import { drained, explainNext } from "./explain-next.ts";
import { describeRemains } from "./explain-remains.ts";
import { formatSpan } from "./format-span.ts";
import { offerAdvice } from "./offer-advice.ts";
import type { VmState } from "./state.ts";
import { wisherReason } from "./wish.ts";

/** What a person was told of a failing start is among the last few. */
const MOST_TRIED = 10;

const TRIED_CODES: ReadonlySet<string> = new Set([
  "start-taken",
  "start-failed",
  "start-given-up",
  "desktop-crashed",
  "desktop-blocked",
  "clean-up-failed",
  "placement-refused",
  "halt-sent",
  "monitor-terminated",
  "kill-sent",
  "agent-lost",
  "health-fault",
  "session-failed",
]);

/** `reader` is offered what they may do themselves. */
export function explainVm(known: ExplainFacts, now: Date, reader: AdministratorActor): Explanation {
  const facts = factsFor(reader, known);
  const candidates = readCandidates(facts);
  return {
    wished: describeWish(facts, now),
    truth: describeTruth(facts, now),
    difference: describeDifference(facts),
    tried: listTried(facts),
    ...explainNext(facts, now),
    advice: offerAdvice(adviseOn(facts, candidates), reader),
    candidates,
  };
}

/** Where files lie on boxes is the site's to know. */
function factsFor(reader: AdministratorActor, facts: ExplainFacts): ExplainFacts {
  if (isOfSite(reader)) return facts;
  const { report, image, events, blockedReason } = facts;
  return {
    ...facts,
    blockedReason: blockedReason && hidePaths(blockedReason),
    report: report === null ? null : { ...report, fault: report.fault && hidePaths(report.fault) },
    image: image === null ? null : { ...image, fault: image.fault && hideImagePaths(image.fault) },
    events: events.map((event) => ({ ...event, text: eventTextFor(reader, event) })),
  };
}

function describeWish({ wish, wishedBy, wishedAt }: ExplainFacts, now: Date): string {
  if (wishedBy === null || wishedAt === null) return "Nobody has asked for it yet, so it is to be stopped.";
  const ago = formatSpan(now.getTime() - wishedAt.getTime());
  return `${wish === "running" ? "Running" : "Stopped"}, ${ago} ago: ${wisherReason(wishedBy)}.`;
}

const STATE_WORDS = {
  stopped: "It is stopped",
  starting_1: "Its start was taken and waits for its turn, its image or its disks (starting_1)",
  starting_2: "It boots (starting_2)",
  running: "It is running",
  stopping_1: "It was asked to shut down (stopping_1)",
  stopping_2: "It is shutting down (stopping_2)",
  zombie_1: "It did not shut down and is being ended from outside (zombie_1)",
  zombie_2: "It is being ended by force (zombie_2)",
} as const satisfies Record<VmState, string>;

function describeTruth(facts: ExplainFacts, now: Date): string {
  const { report, node } = facts;
  const where = node === null ? "" : ` on node ${node.name}`;
  const strange = (facts.strangeOn ?? [])
    .map((one) => ` It also runs on node ${one.node}, where the site doesn't place it.`)
    .join("");
  if (report === null) return `It is stopped${where}: no node has ever run it.${strange}`;
  const since = formatSpan(now.getTime() - report.stateAt.getTime());
  const health = report.state === "running" ? `; ${describeHealth(report, facts)}` : "";
  return `${STATE_WORDS[report.state]}${where}, for ${since} now${health}.${strange}`;
}

function describeHealth(report: ExplainReport, { isConnected, expectsAgent }: ExplainFacts): string {
  const network = {
    true: "its network is right",
    false: "its network is broken",
    null: "its network was not checked",
  };
  return [
    // What is told as its agent is then the machine itself.
    !expectsAgent
      ? "it has no agent of ours, and is seen on its console only"
      : report.hasAgent
        ? "its agent answers"
        : "its agent does not answer",
    network[`${report.hasNetwork}`],
    isConnected ? "somebody is connected" : "nobody is connected",
  ].join(", ");
}

/** The first that holds is the one that keeps the others from mattering. */
function describeDifference(facts: ExplainFacts): string | null {
  const { wish, report, node } = facts;
  const state = report?.state ?? "stopped";
  if (state === "running" && wish === "running" && report?.fault) return report.fault;
  if (wish === "running" && facts.isBlocked) return describeBlock(facts, state);
  if (state === wish) return null;
  if (node === null)
    return findRefusal(facts)?.text ?? "No node has taken it yet; nodes look for such desktops all the time.";
  if (!node.hasLease)
    return `Node ${node.name}, which has it, has not been heard of; it may start and stop nothing.`;
  const remains = describeRemains(report);
  if (remains !== undefined) return remains;
  if (wish === "stopped") return describeStop(report);
  if (report === null || report.generationSeen < facts.generation)
    return `Node ${node.name} has not taken the order yet.`;
  return describeStart(facts, report);
}

/** What runs goes on, but it is not as its user wishes either: nobody can connect. */
function describeBlock({ blockedReason }: ExplainFacts, state: VmState): string {
  const reason = (blockedReason ?? "an administrator blocked it").replace(/\.$/, "");
  return state === "running"
    ? `It is blocked, so it goes on but nobody can connect to it: ${reason}.`
    : `It is blocked: ${reason}.`;
}

function describeStop(report: ExplainReport | null): string {
  if (report?.state === "running")
    return report.queuePosition === null
      ? "The order has just been given."
      : `Other desktops are being stopped first; it is number ${report.queuePosition} in the queue.`;
  return report?.fault ?? "Going down takes its time.";
}

function describeStart({ image, osf, tag, node }: ExplainFacts, report: ExplainReport): string {
  if (report.fault !== null) return report.fault;
  if (image === null) return `No image of ${osf} carries the tag ${tag}.`;
  if (image.state === "failed")
    return `The image ${image.version} of ${osf} can't be used: ${image.fault ?? "it did not pass its checks"}`;
  if (image.state !== "ready") return `The image ${image.version} of ${osf} is still being taken in.`;
  if (report.queuePosition !== null)
    return `Other desktops are being started first; it is number ${report.queuePosition} in the queue.`;
  if (report.state === "starting_1") return "Its image and disks are being prepared.";
  if (report.state === "starting_2") return "It has been switched on, and its agent has not answered yet.";
  if (node?.drain?.canLeave === true)
    return `It goes down first, and then starts on another node: ${drained(node)}.`;
  return "It goes down first, and is then started again.";
}

function listTried({ events, generation }: ExplainFacts): Explanation["tried"] {
  return events
    .filter((event) => TRIED_CODES.has(event.code) && event.generation === generation)
    .slice(0, MOST_TRIED)
    .map(({ at, text }) => ({ at, text }))
    .reverse();
}

function findRefusal({ events, generation }: ExplainFacts): ExplainEvent | undefined {
  return events.find((event) => event.code === "placement-refused" && event.generation === generation);
}

/** Of the refusal that still stands: an older one says nothing of now. */
function readCandidates(facts: ExplainFacts): readonly Candidate[] {
  const detail = facts.node === null && facts.wish === "running" ? findRefusal(facts)?.detail : undefined;
  if (typeof detail !== "object" || detail === null || !("candidates" in detail)) return [];
  const { candidates } = detail;
  return Array.isArray(candidates) ? candidates.filter(isCandidate) : [];
}

function isCandidate(value: unknown): value is Candidate {
  if (typeof value !== "object" || value === null || !("node" in value) || !("reason" in value)) return false;
  return typeof value.node === "string" && typeof value.reason === "string";
}
