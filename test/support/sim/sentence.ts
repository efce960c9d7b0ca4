/** Words that the sentences of scenarios share. */

import type { SimSite } from "./site.ts";

export type SimCommand = {
  readonly pattern: RegExp;
  readonly run: (site: SimSite, words: Readonly<Record<string, string | undefined>>) => Promise<void>;
};

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `5s`, `300ms`, `2m`, `1h`; in milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+)(ms|s|m|h)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ""];
  if (match === null || unit === undefined) throw new Error(`${text} is no duration such as 5s`);
  return Number(match[1]) * unit;
}

/** `d1`, `d1,d2` or `d1..d20`. */
export function parseNames(text: string): readonly string[] {
  const range = /^([a-z]+)(\d+)\.\.\1(\d+)$/.exec(text);
  if (range === null) return text.split(",");
  const [, word, first, last] = range;
  const count = Number(last) - Number(first) + 1;
  return Array.from({ length: count }, (_, index) => `${word}${Number(first) + index}`);
}
