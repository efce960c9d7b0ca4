/** A box with everything in place for its start, as `box run` and `box stop` need it. */

import { appendFileSync } from "node:fs";
import { findCgroupRoot } from "../../lib/process.ts";
import type { CommandIo } from "../command.ts";
import { type Mode, openMode } from "../mode.ts";
import { Box } from "./box.ts";
import { prepareBox } from "./prepare.ts";

export type OpenedBox = { readonly box: Box; readonly mode: Mode };

/** Makes folders and secrets. The box's log goes to a file; a person reads short sentences. */
export async function openBox(io: CommandIo): Promise<OpenedBox> {
  const { layout, config } = openMode(io);
  await prepareBox(layout);
  const logFile = `${layout.logsFolder}/box.log`;
  const mode = openMode({ ...io, err: (line) => appendFileSync(logFile, line) });
  const box = new Box({
    mode,
    cgroupFolder: `${findCgroupRoot()}/${config.instance}/b`,
    tell: (text) => io.err(`qvd box: ${text}\n`),
  });
  return { box, mode };
}
