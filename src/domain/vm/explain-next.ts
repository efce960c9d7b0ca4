/** What happens next to a desktop, and when: the plan's own times, told ahead. */

import type { ExplainFacts, ExplainReport, Explanation } from "./explain-facts.ts";
import { VM_LIMITS } from "./facts.ts";

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
  if (report === null || report.generationSeen < facts.generation)
    if (state === "stopped") return say("Its node takes the order within moments.");
  return report === null ? say("Its node tells of it within moments.") : nextOf(facts, report, now);
}

function nextOf(facts: ExplainFacts, report: ExplainReport, now: Date): Next {
  const { stateAt } = report;
  const again = facts.wish === "running" ? " Then it is started again." : "";
  switch (report.state) {
    case "stopped":
      return nextTry(report) ?? say("Nothing by itself: it was given up. A new wish starts it afresh.");
    case "starting_1":
      return nextOfStart(facts, report);
    case "starting_2":
      return say(
        "It is running as soon as its agent answers and its network is right; if they don't in time, this try has failed.",
      );
    case "running":
      return facts.wish === "stopped" ? nextOfStop(report) : nextOfRunning(facts, report, now);
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

function nextOfStart(facts: ExplainFacts, report: ExplainReport): Next {
  if (report.queuePosition !== null) return say("Its turn comes, and it is started.", report.queueDueAt);
  const isPending = facts.image !== null && !["ready", "failed"].includes(facts.image.state);
  if (isPending) return say("It is started when its image is ready.");
  return nextTry(report) ?? say("It is switched on when its disks are there.");
}

function nextTry(report: ExplainReport): Next | undefined {
  if (report.nextTryAt === null) return undefined;
  return say(`It is tried again (${report.tries + 1} of ${VM_LIMITS.mostTries}).`, report.nextTryAt);
}

function nextOfStop(report: ExplainReport): Next {
  return report.queuePosition === null
    ? say("It is asked to shut down within moments.")
    : say("It is asked to shut down when it is its turn.");
}

/** The first of what is to come. */
function nextOfRunning(facts: ExplainFacts, report: ExplainReport, now: Date): Next {
  const { idleStopSeconds, expiresSoftAt, expiresHardAt } = facts;
  const isSoftToCome = expiresSoftAt !== null && expiresSoftAt > now;
  const ends = [
    idleStopSeconds !== null && report.idleSince !== null && !facts.isConnected
      ? say(
          "It is stopped, unless somebody connects before.",
          after(report.idleSince, idleStopSeconds * 1000),
        )
      : undefined,
    isSoftToCome
      ? say("Its user is asked to restart it: a newer image was published.", expiresSoftAt)
      : undefined,
    expiresHardAt !== null ? say("It is stopped: a newer image was published.", expiresHardAt) : undefined,
  ].filter((one) => one !== undefined);
  const first = ends.sort((one, other) => Number(one.nextAt) - Number(other.nextAt))[0];
  if (first !== undefined) return first;
  const isAmiss = report.faultCode === "network-broken" || report.faultCode === "agent-lost";
  return say(
    isAmiss ? "It goes on and is checked again; the trail tells when it is mended." : "Nothing: it goes on.",
  );
}

function say(next: string, nextAt: Date | null = null): Next {
  return { next, nextAt };
}

function after(at: Date, ms: number): Date {
  return new Date(at.getTime() + ms);
}
