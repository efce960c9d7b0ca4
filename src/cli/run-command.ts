/** From a process's words to its exit code: find the command, give it what it may touch, say what went wrong. */

import { type AppError, describeError, type ErrorCode, isAppError } from "../lib/errors.ts";
import type { Command, CommandIo } from "./command.ts";
import type { CommandEntry } from "./commands.ts";
import { EXIT_CODES } from "./exit-code.ts";
import { findCommand } from "./find-command.ts";
import { renderHelp, renderOverview } from "./help.ts";
import { parseCommandArgs } from "./parse-args.ts";

export async function runCommand(
  entries: readonly CommandEntry[],
  words: readonly string[],
  io: CommandIo,
): Promise<number> {
  const [first] = words;
  if (first === undefined || first === "help" || first === "--help" || first === "-h") {
    const text = renderOverview(entries);
    if (first === undefined) io.err(text);
    else io.out(text);
    return first === undefined ? 2 : 0;
  }
  const found = findCommand(entries, first === "--version" ? ["version"] : words);
  if (found.kind === "group") {
    const isAsked = words.some(isHelp);
    (isAsked ? io.out : io.err)(renderOverview(found.entries));
    return isAsked ? 0 : 2;
  }
  if (found.kind === "unknown") {
    const hints = found.suggestions.map((name) => `\`qvd ${name}\``).join(" or ");
    const meant = hints === "" ? "`qvd --help` lists the commands" : `did you mean ${hints}?`;
    io.err(`qvd: there is no command \`${found.text || first}\`; ${meant}\n`);
    return 2;
  }
  return await runFound(found.entry, found.rest, io);
}

async function runFound(entry: CommandEntry, rest: readonly string[], io: CommandIo): Promise<number> {
  let command: Command | undefined;
  try {
    command = await entry.load();
    // What stands after `--` is the command's, even when it looks like ours.
    const before = rest.includes("--") ? rest.slice(0, rest.indexOf("--")) : rest;
    if (before.some(isHelp)) {
      io.out(renderHelp(command));
      return 0;
    }
    return await command.run(io, parseCommandArgs(command, rest));
  } catch (error) {
    if (io.signal.aborted && !isAppError(error)) {
      io.err(`qvd: ended by ${String(io.signal.reason)}\n`);
      return 1;
    }
    io.err(`${sentence(error, io.env, command)}\n`);
    return isAppError(error) ? (command?.faultCodes?.[error.code] ?? EXIT_CODES[error.code]) : 1;
  }
}

function isHelp(word: string): boolean {
  return word === "--help" || word === "-h";
}

/** Their sentence says it all; the cause is how the program learned it, such as the query that was refused. */
const COMPLETE: ReadonlySet<ErrorCode> = new Set(["conflict", "not-found", "forbidden", "blocked"]);

/** An expected failure is its sentence and those of its causes; a bug is its stack. */
function sentence(error: unknown, env: CommandIo["env"], command: Command | undefined): string {
  if (!isAppError(error)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return `qvd: this is a fault of the program: ${stack}`;
  }
  const isDebug = env.QVD_LOG_LEVEL === "debug";
  const causes: string[] = [];
  for (
    let cause = COMPLETE.has(error.code) && !isDebug ? undefined : error.cause;
    cause !== undefined && causes.length < 5;
  ) {
    causes.push(describeError(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  const details = isDebug && error.stack !== undefined ? `\n${error.stack}` : "";
  return `qvd: ${[nameOption(error, command), ...causes].join("\n  because: ")}${details}`;
}

/** The API's refusals begin with its name of the field; who typed an option looks for the option's. */
function nameOption({ message, field }: AppError, command: Command | undefined): string {
  if (field === undefined || !message.startsWith(`${field}: `)) return message;
  const found = Object.entries(command?.options ?? {}).find(([name, spec]) => (spec.field ?? name) === field);
  return found === undefined ? message : `--${found[0]}${message.slice(field.length)}`;
}
