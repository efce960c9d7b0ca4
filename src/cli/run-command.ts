/** From a process's words to its exit code: find the command, give it what it may touch, say what went wrong. */

import { describeError, isAppError } from "../lib/errors.ts";
import type { CommandIo } from "./command.ts";
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
  try {
    const command = await entry.load();
    // What stands after `--` is the command's, even when it looks like ours.
    const before = rest.includes("--") ? rest.slice(0, rest.indexOf("--")) : rest;
    if (before.some(isHelp)) {
      io.out(renderHelp(command));
      return 0;
    }
    return await command.run(io, parseCommandArgs(command, rest));
  } catch (error) {
    io.err(`${sentence(error, io.env)}\n`);
    return isAppError(error) ? EXIT_CODES[error.code] : 1;
  }
}

function isHelp(word: string): boolean {
  return word === "--help" || word === "-h";
}

/** An expected failure is its sentence and those of its causes; a bug is its stack. */
function sentence(error: unknown, env: CommandIo["env"]): string {
  if (!isAppError(error)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return `qvd: this is a fault of the program: ${stack}`;
  }
  const causes: string[] = [];
  for (let cause = error.cause; cause !== undefined && causes.length < 5; ) {
    causes.push(describeError(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  const details = env.QVD_LOG_LEVEL === "debug" && error.stack !== undefined ? `\n${error.stack}` : "";
  return `qvd: ${[error.message, ...causes].join("\n  because: ")}${details}`;
}
