/** Finds the command that a person's first words name, or what they may have meant. Pure. */

import type { CommandEntry } from "./commands.ts";

export type Found =
  | { readonly kind: "command"; readonly entry: CommandEntry; readonly rest: readonly string[] }
  /** The words begin several commands (`qvd vm`), or are none. */
  | { readonly kind: "group"; readonly entries: readonly CommandEntry[] }
  | { readonly kind: "unknown"; readonly text: string; readonly suggestions: readonly string[] };

const MOST_SUGGESTIONS = 3;

export function findCommand(entries: readonly CommandEntry[], words: readonly string[]): Found {
  const named = words.filter((_, index) => !words.slice(0, index + 1).some((one) => one.startsWith("-")));
  for (let count = Math.min(2, named.length); count > 0; count--) {
    const name = named.slice(0, count).join(" ");
    const entry = entries.find((one) => one.name === name);
    if (entry !== undefined) return { kind: "command", entry, rest: words.slice(count) };
  }
  const group = entries.filter((entry) => entry.name.startsWith(`${named[0]} `));
  if (named.length === 1 && group.length > 0) return { kind: "group", entries: group };
  const text = named.slice(0, 2).join(" ");
  return { kind: "unknown", text, suggestions: suggest(entries, text) };
}

function suggest(entries: readonly CommandEntry[], text: string): string[] {
  const noun = text.split(" ")[0] ?? "";
  return entries
    .map((entry) => ({
      name: entry.name,
      far: distance(entry.name, text) - (entry.name.startsWith(`${noun} `) ? 2 : 0),
    }))
    .filter(({ name, far }) => far <= Math.max(2, Math.floor(name.length / 3)))
    .sort((a, b) => a.far - b.far)
    .slice(0, MOST_SUGGESTIONS)
    .map(({ name }) => name);
}

/** How many letters must be added, taken away or changed to get from one to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
