/** What the commands say of themselves, as files to read in review: one a command, and the overview. */

import { fileURLToPath } from "node:url";
import { COMMANDS } from "../../src/cli/commands.ts";
import { renderHelp, renderOverview } from "../../src/cli/help.ts";

export const HELP_FOLDER = fileURLToPath(new URL("../golden/cli/help", import.meta.url));

/** By file name, such as `vm-explain.txt`. */
export async function renderHelpTexts(): Promise<ReadonlyMap<string, string>> {
  const texts = await Promise.all(
    COMMANDS.map(
      async (entry) => [`${entry.name.replaceAll(" ", "-")}.txt`, renderHelp(await entry.load())] as const,
    ),
  );
  return new Map([["overview.txt", renderOverview(COMMANDS)], ...texts]);
}
