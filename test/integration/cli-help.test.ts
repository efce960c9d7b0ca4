/** The help texts as they were read and found good: `bun test/support/update-help-texts.ts` writes them anew. */

import { expect, test } from "bun:test";
import { readdir, readFile } from "node:fs/promises";
import { HELP_FOLDER, renderHelpTexts } from "../support/help-texts.ts";

test("each command's help is the one that was read in review", async () => {
  const rendered = await renderHelpTexts();
  expect((await readdir(HELP_FOLDER)).sort()).toEqual([...rendered.keys()].sort());
  for (const [name, text] of rendered)
    expect({ name, text }).toEqual({ name, text: await readFile(`${HELP_FOLDER}/${name}`, "utf8") });
});
