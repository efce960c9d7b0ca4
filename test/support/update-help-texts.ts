/** Writes test/golden/cli/help anew, after a command or its words changed. */

import { mkdir, readdir, rm } from "node:fs/promises";
import { HELP_FOLDER, renderHelpTexts } from "./help-texts.ts";

await mkdir(HELP_FOLDER, { recursive: true });
const texts = await renderHelpTexts();
for (const [name, text] of texts) await Bun.write(`${HELP_FOLDER}/${name}`, text);
for (const name of await readdir(HELP_FOLDER)) if (!texts.has(name)) await rm(`${HELP_FOLDER}/${name}`);
