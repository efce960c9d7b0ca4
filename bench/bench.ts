/**
 * What a benchmark is, and how its figures are printed. One file each in this folder exports one `Bench`
 * named like the file; both sides are measured in one run, in alternating rounds, and medians are compared.
 * An unmet goal is printed as unmet.
 */

export type Figure = {
  readonly figure: string;
  readonly unit: string;
  readonly ours: number;
  /** What it is compared with; null where a figure stands alone. */
  readonly beside: string | null;
  readonly theirs: number | null;
  /** ours / theirs. */
  readonly ratio: number | null;
  /** In words, such as `ratio ≤ 0.6`; null for a figure that only explains another. */
  readonly goal: string | null;
  readonly met: boolean | null;
};

export type BenchIo = {
  /** Progress, for people. */
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
  /** What stood after the benchmark's name. */
  readonly words?: readonly string[];
};

export type Bench = {
  /** Like its file. */
  readonly name: string;
  readonly summary: string;
  /** Debian packages of the peer and of the tools that measure. */
  readonly needs: readonly string[];
  run(io: BenchIo): Promise<Figure[]>;
};

export type Goal = { readonly on: "ours" | "ratio"; readonly atMost: number };

/** One row: `goal` bounds our own value or the ratio to the peer's. */
export function figure(
  name: string,
  unit: string,
  values: { readonly ours: number; readonly beside?: string; readonly theirs?: number; readonly goal?: Goal },
): Figure {
  const ratio = values.theirs === undefined || values.theirs === 0 ? null : values.ours / values.theirs;
  const judged = values.goal?.on === "ratio" ? ratio : values.ours;
  return {
    figure: name,
    unit,
    ours: round(values.ours),
    beside: values.beside ?? null,
    theirs: values.theirs === undefined ? null : round(values.theirs),
    ratio: ratio === null ? null : round(ratio),
    goal: values.goal === undefined ? null : describeGoal(values.goal, unit),
    met: values.goal === undefined || judged === null ? null : judged <= values.goal.atMost,
  };
}

function describeGoal(goal: Goal, unit: string): string {
  return goal.on === "ratio" ? `ratio ≤ ${goal.atMost}` : `≤ ${goal.atMost} ${unit}`;
}

/** Three significant digits, but never fewer than the whole number has. */
function round(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return Number(value.toFixed(Math.min(digits, 6)));
}

const HEADS = ["figure", "unit", "ours", "theirs", "ratio", "goal", "", "beside"];

/** A table for people. */
export function formatTable(figures: readonly Figure[]): string {
  const rows = figures.map((f) => [
    f.figure,
    f.unit,
    String(f.ours),
    f.theirs === null ? "–" : String(f.theirs),
    f.ratio === null ? "–" : f.ratio.toFixed(2),
    f.goal ?? "–",
    f.met === null ? "" : f.met ? "met" : "UNMET",
    f.beside ?? "–",
  ]);
  const widths = HEADS.map((head, i) => Math.max(head.length, ...rows.map((row) => (row[i] ?? "").length)));
  const isNumber = (i: number) => i >= 2 && i <= 4;
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (isNumber(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(HEADS), line(widths.map((width) => "─".repeat(width))), ...rows.map(line)].join("\n");
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The value that `share` of the values don't exceed, between neighbours by proportion; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined) return Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** How many at once, in ascending order: the numbers among a benchmark's words, else `otherwise`. */
export function readCounts(words: readonly string[], otherwise: readonly number[]): readonly number[] {
  const named = words.map(Number).filter((count) => Number.isInteger(count) && count > 0);
  return named.length > 0 ? named.sort((a, b) => a - b) : otherwise;
}
