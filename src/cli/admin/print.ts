/** How commands print: JSON for programs, aligned columns for people. */

import type { CommandIo, OptionSpec } from "../command.ts";
import { formatMoment } from "./format-moment.ts";

export const JSON_OPTION = {
  json: { type: "flag", doc: "Print JSON, for programs." },
} as const satisfies Readonly<Record<string, OptionSpec>>;

export function printJson(io: CommandIo, value: unknown): void {
  io.out(`${JSON.stringify(value, null, 2)}\n`);
}

/** Columns as wide as their widest value, moments as people read them; an empty list says so on stderr, so that pipes stay empty. */
export function printTable(
  io: CommandIo,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  if (rows.length === 0) {
    io.err("nothing to list\n");
    return;
  }
  const lines = [headings, ...rows.map((row) => row.map(formatMoment))];
  const widths = headings.map((_, column) =>
    Math.max(...lines.map((line) => Bun.stringWidth(line[column] ?? ""))),
  );
  for (const line of lines) {
    const cells = line.map((cell, column) => pad(cell, widths[column] ?? 0));
    io.out(`${cells.join("  ").trimEnd()}\n`);
  }
}

/** Name and value a line; what has no value is left out. */
export function printFacts(
  io: CommandIo,
  facts: readonly (readonly [string, string | null | undefined])[],
): void {
  const known = facts.flatMap(([name, value]) => (value ? [[name, value] as const] : []));
  const width = Math.max(...known.map(([name]) => name.length));
  for (const [name, value] of known) io.out(`${pad(name, width)}  ${formatMoment(value)}\n`);
}

export function yesNo(value: boolean): string {
  return value ? "yes" : "no";
}

/** Control characters would let a stored name drive the reader's terminal. */
function pad(text: string, width: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced.
  const safe = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
  return safe + " ".repeat(Math.max(0, width - Bun.stringWidth(safe)));
}
