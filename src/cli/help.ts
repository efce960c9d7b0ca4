/** Help is rendered from the commands' own values, so that it can't say something else than they do. */

import type { Command, OptionSpec } from "./command.ts";
import type { CommandEntry } from "./commands.ts";

const WIDTH = 92;

export function renderHelp(command: Command): string {
  const options: readonly [string, OptionSpec][] = [
    ...Object.entries(command.options ?? {}),
    ["help", { type: "flag", doc: "Print this." }],
  ];
  const sections = [
    `${command.summary}\n`,
    `Usage: ${usage(command)}\n`,
    ...(command.details === undefined ? [] : [`${wrap(command.details, 0)}\n`]),
    `Options:\n${columns(options.map(([name, spec]) => [optionText(name, spec), spec.doc]))}`,
    ...(command.examples === undefined
      ? []
      : [`Examples:\n${command.examples.map((example) => `  ${example}\n`).join("")}`]),
    `Exit codes:\n${columns(exitCodes(command))}`,
  ];
  return sections.join("\n");
}

/** The whole table, by nouns as they come first. */
export function renderOverview(entries: readonly CommandEntry[]): string {
  const byNoun = Map.groupBy(entries, ({ name }) => name.split(" ")[0] ?? name);
  const width = Math.max(...entries.map(({ name }) => name.length));
  const groups = [...byNoun.values()].map((group) =>
    columns(
      group.map((entry) => [entry.name, entry.summary]),
      width,
    ),
  );
  return [
    "QVD: Linux desktops on the screens of many.\n",
    "Usage: qvd NOUN VERB [ARGUMENTS]\n",
    `Commands:\n${groups.join("")}`,
    "`qvd NOUN VERB --help` explains one of them.\n",
  ].join("\n");
}

function usage(command: Command): string {
  const positionals = command.positionals ?? [];
  const options = Object.keys(command.options ?? {}).length > 0 ? ["[OPTIONS]"] : [];
  return ["qvd", command.name, ...options, ...positionals].join(" ");
}

function optionText(name: string, spec: OptionSpec): string {
  return spec.type === "flag" ? `--${name}` : `--${name} ${spec.value ?? "TEXT"}`;
}

function exitCodes(command: Command): [string, string][] {
  const common: Record<string, string> = { 0: "well", 1: "failed", 2: "wrong usage" };
  return Object.entries({ ...common, ...command.exitCodes });
}

function columns(
  rows: readonly (readonly [string, string])[],
  width = Math.max(...rows.map(([left]) => left.length)),
): string {
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${wrap(right, width + 4)}\n`).join("");
}

/** Breaks `text` into lines; those after the first are indented. */
function wrap(text: string, indent: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join(`\n${" ".repeat(indent)}`);
}
