import { rename, rm, writeFile } from "node:fs/promises";
import { textOption } from "../admin/arguments.ts";
import { childEnv } from "../child.ts";
import type { Command } from "../command.ts";
import { openMode, requireRoot } from "../mode.ts";
import { prepareBox } from "./prepare.ts";

export const boxPrepare: Command = {
  name: "box prepare",
  summary: "Make the folders, secrets and certificate that a box needs.",
  options: {
    "public-settings": {
      type: "text",
      value: "FILE",
      doc: "Also write the settings there for processes that must not read the database owner's password.",
    },
  },
  details:
    "The units of systemd call it before each start; `qvd box run` and `qvd node run` do it by themselves. May be called at any time: what is there is kept.",
  examples: ["qvd box prepare"],
  async run(io, args) {
    requireRoot("preparing a box");
    const { config, layout } = openMode(io);
    await prepareBox(layout);
    const file = textOption(args, "public-settings");
    if (file === undefined) return 0;
    const lines = Object.entries(childEnv(config)).filter(([name]) => name !== "QVD_CONFIG");
    // Its folder is the other process's own: what lies there already, such as a link to elsewhere, is not written to.
    await rm(`${file}.new`, { force: true });
    const text = lines.map(([name, value]) => `${name}=${value}\n`).join("");
    await writeFile(`${file}.new`, text, { mode: 0o644, flag: "wx" });
    await rename(`${file}.new`, file);
    return 0;
  },
};
