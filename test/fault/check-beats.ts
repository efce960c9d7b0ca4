/**
 * Judges what the desktops of a fault run wrote down: no two lives of one desktop at a time, nothing lost that
 * the disk had acknowledged, every line where the one before says. Pure; moments are of the one clock that all
 * nodes of the lab have.
 */

import type { Beat } from "../support/beating-desktop.ts";

/** Seen from outside while the desktop lived: its disk had acknowledged this line. */
export type Witness = {
  readonly life: string;
  readonly number: number;
  /** Not before this moment it was still writing; undefined when only the line is known. */
  readonly atMs: number | undefined;
};

export type Violation = {
  readonly kind: "overlap" | "lost-write" | "broken-chain";
  readonly desktop: string;
  readonly text: string;
};

export type DesktopRecord = {
  readonly desktop: string;
  /** In the order of the file, as it is after the run. */
  readonly beats: readonly Beat[];
  readonly witnesses: readonly Witness[];
};

export function checkBeats(record: DesktopRecord): readonly Violation[] {
  return [...findOverlaps(record), ...findLostWrites(record), ...findBrokenChains(record)];
}

type Life = { readonly life: string; readonly fromMs: number; readonly untilMs: number };

export function listLives({ beats, witnesses }: DesktopRecord): readonly Life[] {
  const lives = new Map<string, Life>();
  for (const { life, atMs } of [...beats, ...witnesses]) {
    if (atMs === undefined) continue;
    const known = lives.get(life);
    lives.set(life, {
      life,
      fromMs: Math.min(known?.fromMs ?? atMs, atMs),
      untilMs: Math.max(known?.untilMs ?? atMs, atMs),
    });
  }
  return [...lives.values()].sort((one, other) => one.fromMs - other.fromMs);
}

function findOverlaps(record: DesktopRecord): Violation[] {
  const violations: Violation[] = [];
  let last: Life | undefined;
  for (const life of listLives(record)) {
    if (last !== undefined && life.fromMs < last.untilMs) {
      const ms = Math.round(Math.min(last.untilMs, life.untilMs) - life.fromMs);
      const text = `lives ${last.life} and ${life.life} were both there for ${ms} ms, from ${life.fromMs} on`;
      violations.push({ kind: "overlap", desktop: record.desktop, text });
    }
    if (last === undefined || life.untilMs > last.untilMs) last = life;
  }
  return violations;
}

function findLostWrites({ desktop, beats, witnesses }: DesktopRecord): Violation[] {
  const written = new Map<string, Set<number>>();
  for (const { life, number } of beats) written.set(life, (written.get(life) ?? new Set()).add(number));
  const acknowledged = new Map<string, number>();
  for (const { life, number } of [...beats, ...witnesses])
    acknowledged.set(life, Math.max(acknowledged.get(life) ?? 0, number));
  const violations: Violation[] = [];
  for (const [life, most] of acknowledged) {
    const missing = Array.from({ length: most }, (_, index) => index + 1).filter(
      (number) => written.get(life)?.has(number) !== true,
    );
    if (missing.length === 0) continue;
    const text = `life ${life} lacks ${missing.length} of ${most} lines, the first is number ${missing[0]}`;
    violations.push({ kind: "lost-write", desktop, text });
  }
  return violations;
}

/** Each line follows its predecessor; a life's first line names the line before it. */
function findBrokenChains({ desktop, beats }: DesktopRecord): Violation[] {
  const violations: Violation[] = [];
  for (const [index, beat] of beats.entries()) {
    const before = beats[index - 1];
    const isFirst = before?.life !== beat.life;
    const expected = before === undefined ? "none:0" : `${before.life}:${before.number}`;
    // A line may stand twice when its sync failed after it was written.
    const isNext = isFirst
      ? beat.number === 1 && beat.found === expected
      : beat.number === before.number + 1 || beat.number === before.number;
    if (isNext) continue;
    const text = `line ${beat.life}:${beat.number} stands after ${expected}, and found ${beat.found ?? "its own"}`;
    violations.push({ kind: "broken-chain", desktop, text });
  }
  return violations;
}
