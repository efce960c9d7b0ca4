/** What happens next to a desktop, and when: the plan's own times, told ahead. */

import type { ExplainFacts, ExplainNode, ExplainReport, Explanation } from "./explain-facts.ts";
import { describeRemains } from "./explain-remains.ts";
import { VM_LIMITS } from "./facts.ts";
import { formatSpan } from "./format-span.ts";
import { isLeaving } from "./plan-drain.ts";
import { idleTimeMs } from "./plan-idle.ts";
import { isOnlyHereUnwanted } from "./wish.ts";

type Next = Pick<Explanation, "next" | "nextAt">;

export function explainNext(facts: ExplainFacts, now: Date): Next {
  const { report, wish, node } = facts;
  const state = report?.state ?? "stopped";
  if (state === "stopped" && wish === "stopped")
    return say("Nothing: it stays stopped until somebody wants it.");
  if (wish === "running" && facts.isBlocked && state === "stopped")
    return say("Nothing, until somebody unblocks it.");
  if (node === null)
    return say("It is placed as soon as a node can take it; they look again within seconds.");
  if (!node.hasLease)
    return say(
      `Node ${node.name} goes on when it is back; another takes the desktop over once it is held for lost.`,
    );
  // The plan looks at this before the order.
  if (state === "stopped" && isLeaving({ ...PLACED, drain: node.drain ?? undefined }))
    return say(`Its node lets go of it within moments, and another starts it: ${drained(node)}.`);
  if (report === null || report.generationSeen < facts.generation)
    if (state === "stopped") return say("Its node takes the order within moments.");
  return report === null ? say("Its node tells of it within moments.") : nextOf(facts, report, now);
}

/** Why it is not to stay where it is. */
export function drained({ name }: ExplainNode): string {
  return `node ${name} is being drained`;
}

/** What is said here is of a desktop and a box that are to stay. */
const PLACED = { isDeleted: false, isBoxStopping: false } as const;

/** Its node stops it although it is wished to run. */
function isSentAway({ node, wish }: ExplainFacts): boolean {
  return wish === "running" && isOnlyHereUnwanted({ ...PLACED, drain: node?.drain ?? undefined });
}

function nextOf(facts: ExplainFacts, report: ExplainReport, now: Date): Next {
  const { stateAt } = report;
  const again = facts.wish === "running" ? ` ${afterStop(facts.node)}` : "";
  if (describeRemains(report) !== undefined)
    return say(`Removing what is left is tried again, within a minute each time.${again}`);
  switch (report.state) {
    case "stopped":
      return nextTry(report) ?? say("Nothing by itself: it was given up. A new wish starts it afresh.");
    case "starting_1":
      return nextOfStart(facts, report);
    case "starting_2":
      return nextOfBoot(facts, report);
    case "running":
      return facts.wish === "stopped" || isSentAway(facts)
        ? nextOfStop(report, again)
        : nextOfRunning(facts, report, now);
    case "stopping_1":
      return say(
        `Unless its agent answers before, it is signalled from outside.${again}`,
        after(stateAt, VM_LIMITS.poweroffAnswerMs),
      );
    case "stopping_2":
      return say(
        `Unless it is down before, its monitor gets TERM.${again}`,
        after(stateAt, VM_LIMITS.goingDownMs),
      );
    case "zombie_1":
      return say(
        `Unless it is down before, all of it gets KILL.${again}`,
        after(stateAt, VM_LIMITS.terminateMs),
      );
    case "zombie_2":
      return say(`KILL is sent again until the kernel says that nothing is left.${again}`);
  }
}

/** Of a desktop that is wished to run and goes down. */
function afterStop(node: ExplainNode | null): string {
  const drain = node?.drain ?? null;
  if (node === null || drain === null) return "Then it is started again.";
  return drain.canLeave
    ? `Then it starts on another node: ${drained(node)}.`
    : `Then it stays stopped until the drain ends: ${drained(node)}, and its home lies on that node's own disk.`;
}

function nextOfBoot(facts: ExplainFacts, { stateAt }: ExplainReport): Next {
  if (isSentAway(facts)) return calledOff(facts);
  const timeoutMs = facts.node?.startTimeoutMs ?? null;
  return say(
    "It is running as soon as its agent answers and its network is right; if they don't in time, this try has failed.",
    timeoutMs === null ? null : after(stateAt, timeoutMs),
  );
}

function calledOff({ node }: ExplainFacts): Next {
  return say(`This start is called off. ${afterStop(node)}`);
}

function nextOfStart(facts: ExplainFacts, report: ExplainReport): Next {
  if (isSentAway(facts)) return calledOff(facts);
  if (report.queuePosition !== null) return say("Its turn comes, and it is started.", report.queueDueAt);
  const isPending = facts.image !== null && !["ready", "failed"].includes(facts.image.state);
  if (isPending) return say("It is started when its image is ready.");
  return nextTry(report) ?? say("It is switched on when its disks are there.");
}

function nextTry(report: ExplainReport): Next | undefined {
  if (report.nextTryAt === null) return undefined;
  return say(`It is tried again (${report.tries + 1} of ${VM_LIMITS.mostTries}).`, report.nextTryAt);
}

function nextOfStop({ queuePosition }: ExplainReport, again: string): Next {
  const when = queuePosition === null ? "within moments" : "when it is its turn";
  return say(`It is asked to shut down ${when}.${again}`);
}

/** The first of what is to come. */
function nextOfRunning(facts: ExplainFacts, report: ExplainReport, now: Date): Next {
  const { idleStopSeconds, expiresSoftAt, expiresHardAt } = facts;
  const isSoftToCome = expiresSoftAt !== null && expiresSoftAt > now;
  const ends = [
    idleStopSeconds !== null && report.idleSince !== null && !facts.isConnected && facts.expectsAgent
      ? say(
          "It is stopped, unless somebody connects before.",
          after(report.idleSince, idleTimeMs(idleStopSeconds * 1000, { ...VM_LIMITS, ...facts })),
        )
      : undefined,
    isSoftToCome
      ? say("Its user is asked to restart it: a newer image was published.", expiresSoftAt)
      : undefined,
    expiresHardAt !== null ? say("It is stopped: a newer image was published.", expiresHardAt) : undefined,
  ].filter((one) => one !== undefined);
  const first = ends.sort((one, other) => Number(one.nextAt) - Number(other.nextAt))[0];
  if (first !== undefined) return first;
  if (report.faultCode === "agent-lost")
    return say(
      `If its agent stays silent for ${formatSpan(VM_LIMITS.agentGoneAfterMs)} it is restarted, once nobody is connected.`,
    );
  if (report.faultCode === "network-broken")
    return say("It goes on and is checked again; the trail tells when it is mended.");
  if (!facts.node?.drain) return say("Nothing: it goes on.");
  return say(`It goes on until it is stopped. ${afterStop(facts.node)}`);
}

function say(next: string, nextAt: Date | null = null): Next {
  return { next, nextAt };
}

function after(at: Date, ms: number): Date {
  return new Date(at.getTime() + ms);
}
