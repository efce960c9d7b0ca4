/** Of a build that failed: what its owner can act on, out of what mmdebstrap said last. */

import { SCRIPT_INSIDE } from "./plan-build.ts";

/** How it tells of its own steps, which are no faults. */
const STEP = /^I: /;
const FAILED_COMMAND = /^E: (?:setup failed: E: )?command failed: /;

/** `said`: its last lines, the script's own among them. */
export function describeFailure(exitCode: number, said: readonly string[]): string {
  const telling = said.filter((line) => !STEP.test(line));
  const isScript = telling.some((line) => FAILED_COMMAND.test(line) && line.endsWith(` ${SCRIPT_INSIDE}`));
  if (!isScript) return `mmdebstrap ended with ${exitCode}. It said last:\n${said.join("\n")}`;
  const own = telling.filter((line) => !line.startsWith("E: "));
  const last = own.length === 0 ? "It said nothing" : `It said last:\n${own.join("\n")}`;
  return `the recipe's script \`customize\` failed. ${last}`;
}
