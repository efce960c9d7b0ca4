/** What a desktop that waits for its turn is told: its place and an estimate, again when they have changed a lot. */

import type { VmFacts, VmPlan } from "./facts.ts";
import { formatSpan } from "./format-span.ts";
import { step } from "./steps.ts";

/** An estimate that moved by less, or by less than this part of what is left, is no news. */
const NEWS_MS = 250;
const NEWS_PART = 0.1;
/** What is worth a line of the trail. */
const TOLD_MS = 1_000;
const TOLD_PART = 0.25;
/** The queue wakes those for whom the end of a turn is news; this is for turns that don't end. */
const LOOK_AGAIN = { leastMs: 1_000, mostMs: 5_000 };

export function planQueued(facts: VmFacts): VmPlan {
  const { observed, nowMs } = facts;
  const { report, queuePosition, queueDueAtMs } = observed;
  const leftMs = queueDueAtMs === undefined ? undefined : Math.max(0, queueDueAtMs - nowMs);
  const lookMs = Math.min(Math.max((leftMs ?? 0) / 4, LOOK_AGAIN.leastMs), LOOK_AGAIN.mostMs);
  const hasMoved = moved(facts);
  if (hasMoved === "little") return { steps: [], wakeAtMs: nowMs + lookMs };
  const event = {
    code: "start-queued" as const,
    text: `Other desktops are being started first; this one is number ${queuePosition} in the queue${
      leftMs === undefined
        ? ""
        : `, its turn comes ${leftMs < 1_000 ? "within a second" : `in about ${formatSpan(leftMs)}`}`
    }.`,
    detail: { position: queuePosition, ...(leftMs === undefined ? {} : { dueInMs: Math.round(leftMs) }) },
  };
  const isFirst = report.queuePosition === undefined;
  return {
    steps: [
      step(
        "report",
        {
          queuePosition,
          queueDueAtMs: queueDueAtMs ?? null,
          ...(isFirst || hasMoved === "much" ? { events: [event] } : {}),
        },
        `waits for its turn, number ${queuePosition}`,
      ),
    ],
    wakeAtMs: undefined,
  };
}

function moved({ observed, nowMs }: VmFacts): "little" | "some" | "much" {
  const { report, queuePosition, queueDueAtMs } = observed;
  if (report.queuePosition === undefined) return "much";
  if (queueDueAtMs === undefined)
    return queuePosition <= report.queuePosition / 2 || queuePosition > report.queuePosition
      ? "some"
      : "little";
  if (report.queueDueAtMs === undefined) return "much";
  if (!isQueueNews(report.queueDueAtMs, queueDueAtMs, nowMs))
    return queuePosition <= report.queuePosition / 2 ? "some" : "little";
  const byMs = Math.abs(queueDueAtMs - report.queueDueAtMs);
  return byMs < Math.max(TOLD_MS, (queueDueAtMs - nowMs) * TOLD_PART) ? "some" : "much";
}

/** Whether a turn that comes at `dueAtMs` is worth telling to one that was told `toldAtMs`, or nothing yet. */
export function isQueueNews(toldAtMs: number | undefined, dueAtMs: number, nowMs: number): boolean {
  if (toldAtMs === undefined) return true;
  return Math.abs(dueAtMs - toldAtMs) >= Math.max(NEWS_MS, (dueAtMs - nowMs) * NEWS_PART);
}

/** It is wished down, and others go down first. Told once; the queue wakes it. */
export function planStopQueued(facts: VmFacts): VmPlan {
  const { report, stopQueuePosition } = facts.observed;
  if (report.queuePosition !== undefined) return { steps: [], wakeAtMs: undefined };
  const event = {
    code: "stop-queued" as const,
    text: `Other desktops are being stopped first; this one is number ${stopQueuePosition} in the queue.`,
    detail: { position: stopQueuePosition },
  };
  const reason = `waits for its turn to stop, number ${stopQueuePosition}`;
  return {
    steps: [step("report", { queuePosition: stopQueuePosition, events: [event] }, reason)],
    wakeAtMs: undefined,
  };
}
