/**
 * The language of scenarios: a line a command, read aloud as a sentence. `test/scenarios/README.md` lists them;
 * the table below is what they do. A line that nothing understands, or an `expect` that isn't so, fails.
 */

import { describeError } from "../../../src/lib/errors.ts";
import { SIM_COMMANDS } from "./commands.ts";
import type { SimSite } from "./site.ts";

/** Runs a scenario and returns its log. Throws with line number where the script is wrong or disappointed. */
export async function runScript(site: SimSite, text: string): Promise<string> {
  await site.begin();
  const lines = text.split("\n");
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim();
    if (line === "") continue;
    if (line.startsWith("#")) {
      site.lines.push(line);
      continue;
    }
    site.lines.push(`${"".padStart(9)}  > ${line}`);
    await runLine(site, line).catch((error) => {
      throw new Error(
        `line ${index + 1}, "${line}": ${describeError(error)}\n${site.lines.slice(-40).join("\n")}`,
        { cause: error },
      );
    });
  }
  return `${site.lines.join("\n")}\n`;
}

async function runLine(site: SimSite, line: string): Promise<void> {
  for (const { pattern, run } of SIM_COMMANDS) {
    const match = pattern.exec(line);
    if (match === null) continue;
    await run(site, match.groups ?? {});
    // What a command sets going at this very moment belongs to it.
    await site.advance(0);
    return;
  }
  throw new Error("no command reads like this");
}
