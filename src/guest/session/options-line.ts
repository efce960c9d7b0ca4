/**
 * The one line that nxagent reads at its start and again at each resume. A malformed line makes it abort with
 * a core dump and ends the person's session, so every value is checked once more although the node has
 * whitelisted it: this is the last place before the damage.
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { ClientParameters } from "../../domain/session/client-parameters.ts";
import { NX_DISPLAY } from "../../wire/guest/messages.ts";

/** nxagent reads no more than that. */
const MOST_BYTES = 1024;

export type OptionsInput = {
  readonly client: ClientParameters;
  /** The only address that may connect; nxagent goes on waiting when another one tries. */
  readonly accept: string;
  readonly stateFile: string;
  /** Words of the channels beside the screen. */
  readonly channels?: readonly (readonly [string, string])[];
};

/** Undefined when a value can't be written safely. */
export function formatOptionsLine(input: OptionsInput): string | undefined {
  const { client } = input;
  const options: (readonly [string, string])[] = [
    ["keyboard", client.keyboard],
    ["client", client.os],
    ["link", client.link],
    ["geometry", client.geometry],
    ...(client.isFullscreen ? [["fullscreen", "1"] as const] : []),
    ["state", input.stateFile],
    // Full speed while suspended; the default delays each request by 50 ms.
    ["sleep", "0"],
    // So that a client with another colour depth can resume.
    ["tolerancechecks", "risky"],
    ["clipboard", "both"],
    ...(input.channels ?? []),
    ["accept", input.accept],
  ];
  if (options.some(([, value]) => !/^[A-Za-z0-9_./+-]+$/.test(value))) return undefined;
  const line = `nx/nx,${options.map(([key, value]) => `${key}=${value}`).join(",")}:${NX_DISPLAY}\n`;
  return line.length <= MOST_BYTES ? line : undefined;
}

/** Read at the next start or resume, whoever causes it. Not touched where it says so already: nxagent may just be reading. */
export function writeOptions(path: string, line: string): void {
  const isThere = existsSync(path) && readFileSync(path, "utf8") === line;
  if (!isThere) writeFileSync(path, line, { mode: 0o644 });
}
