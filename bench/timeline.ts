/** Rounds of both sides step by step: of each side the round in the middle, as the kernel saw it (`kernel-trace.ts`). */

import { readAllowedCores } from "./allowed-cores.ts";
import { openKernelTrace, type TraceEvent } from "./kernel-trace.ts";

export type Timeline = {
  begin(side: string): void;
  mark(text: string): void;
  end(tookMs: number): void;
  /** For a person to read. */
  format(): string;
  close(): void;
};

type Round = { readonly side: string; readonly tookMs: number; readonly events: readonly TraceEvent[] };

export function openTimeline(instance: string): Timeline {
  const trace = openKernelTrace(instance, readAllowedCores());
  const rounds: Round[] = [];
  let side = "";
  return {
    begin: (next) => {
      side = next;
      trace.begin();
      trace.mark(BEGIN);
    },
    mark: (text) => trace.mark(text),
    end: (tookMs) => {
      trace.mark(END);
      rounds.push({ side, tookMs, events: trace.end() });
    },
    format: () =>
      [...new Set(rounds.map((round) => round.side))].map((name) => formatSide(name, rounds)).join("\n"),
    close: () => trace.close(),
  };
}

const BEGIN = "the round begins";
const END = "the round is over";

function formatSide(name: string, rounds: readonly Round[]): string {
  const own = rounds.filter(({ side }) => side === name).sort((one, other) => one.tookMs - other.tookMs);
  const middle = own[Math.floor(own.length / 2)];
  if (middle === undefined) return "";
  const times = own.map(({ tookMs }) => tookMs.toFixed(0)).join(", ");
  return `${name}: ${times} ms; the one in the middle:\n${formatEvents(middle.events)}\n`;
}

/** From the beginning of the round on. A process is called as its parent is until it runs a program. */
export function formatEvents(events: readonly TraceEvent[]): string {
  const from = events.find(({ what }) => what === BEGIN)?.atMs ?? 0;
  let before = from;
  return events
    .filter(({ atMs }) => atMs >= from)
    .map(({ atMs, name, pid, what }) => {
      const line = `${(atMs - from).toFixed(1).padStart(7)} ${`+${(atMs - before).toFixed(1)}`.padStart(6)}  ${`${name} ${pid}`.padEnd(24)} ${what}`;
      before = atMs;
      return line;
    })
    .join("\n");
}
