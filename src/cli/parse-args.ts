/** Parses a command's own words by its table of options, with sentences for what does not fit. */

import { parseArgs } from "node:util";
import { AppError } from "../lib/errors.ts";
import type { Command, CommandArgs } from "./command.ts";

/** Throws `bad-input` for unknown options, missing values and a wrong number of positionals. */
export function parseCommandArgs(command: Command, words: readonly string[]): CommandArgs {
  const specs = Object.entries(command.options ?? {});
  const { values, positionals } = parseOrRefuse(command, words, specs);
  const most = command.positionals?.length ?? 0;
  const isOpenEnded = command.positionals?.at(-1)?.endsWith("…") ?? false;
  const least = command.positionals?.filter((name) => !name.startsWith("[")).length ?? 0;
  if (positionals.length > most && !isOpenEnded) {
    throw refusal(command, `${JSON.stringify(positionals[most])} is one argument too many`);
  }
  if (positionals.length < least)
    throw refusal(command, `${command.positionals?.[positionals.length]} is missing`);
  return { positionals, options: values };
}

function parseOrRefuse(
  command: Command,
  words: readonly string[],
  specs: readonly [string, { readonly type: "text" | "flag" }][],
) {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      strict: true,
      options: Object.fromEntries(
        specs.map(([name, spec]) => [name, { type: spec.type === "flag" ? "boolean" : "string" } as const]),
      ),
    });
    const options: Record<string, string | boolean | undefined> = {};
    // An option may be given once; `multiple` is never asked for, so that no value is a list.
    for (const [name, value] of Object.entries(values)) if (!Array.isArray(value)) options[name] = value;
    return { values: options, positionals };
  } catch (cause) {
    throw refusal(command, faultOf(cause));
  }
}

/** The parser's first sentence; the rest of what it says is about escaping. */
function faultOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.split(/\. |\.$/)[0] ?? text;
}

function refusal(command: Command, fault: string): AppError {
  return new AppError("bad-input", `qvd ${command.name}: ${fault}; see \`qvd ${command.name} --help\``);
}
