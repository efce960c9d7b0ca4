/**
 * Reads nxagent's log. The texts are those of 3.5.99; what isn't listed means nothing to the state. The log
 * belongs to root but the session's user can make nxagent write what they like: so a line may move the
 * state, and never names a process to signal.
 */

import type { SessionEvent } from "./state.ts";

const EVENTS: readonly (readonly [RegExp, SessionEvent])[] = [
  [/^Info: Waiting for connection from /, "waiting-for-client"],
  [/^Session: Session (started|resumed) at /, "client-connected"],
  [/^Session: Suspending session at /, "suspend-began"],
  [/^Session: Session suspended at /, "suspended"],
  [/^Session: Resuming session at /, "resume-began"],
  [/^Session: (Terminating|Aborting) session at /, "end-began"],
  [/^Session: Session (terminated|aborted) at /, "end-began"],
];

export function parseLogLine(line: string): SessionEvent | undefined {
  return EVENTS.find(([pattern]) => pattern.test(line))?.[1];
}

/** What nxagent wrote to its state file, where that alone tells more than the log did. */
export function parseStateFile(text: string): SessionEvent | undefined {
  switch (text.trim()) {
    case "RUNNING":
      return "client-connected";
    case "SUSPENDED":
      return "suspended";
    case "TERMINATED":
    case "TERMINATING":
      return "end-began";
    default:
      return undefined;
  }
}

const NOISE =
  /^(\s|NXAGENT - Version|Copyright|See https?:|Currently known|Info: (Agent running|Proxy running|Using|using) )/;

/** The last telling lines as one text for the trail, at most 400 characters. */
export function describeLogTail(lines: readonly string[]): string {
  const telling = lines.filter((line) => line.trim() !== "" && !NOISE.test(line)).map((line) => line.trim());
  const text = telling.slice(-6).join("; ");
  if (text === "") return "it said nothing";
  return text.length <= 400 ? text : `…${text.slice(-399)}`;
}
