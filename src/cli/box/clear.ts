import { AppError } from "../../lib/errors.ts";
import { findCgroupRoot, isProcessRunning, listCgroupPids } from "../../lib/process.ts";
import { endLeftWorkers } from "../../node/end-left-workers.ts";
import { readProcessFile } from "../../node/process-file.ts";
import type { Command } from "../command.ts";
import { openMode, requireRoot } from "../mode.ts";
import { takeDown } from "./take-down.ts";

export const boxClear: Command = {
  name: "box clear",
  summary: "Take away what a stopped box left on this machine: bridge, rules, control groups.",
  details:
    "Ends left brokers and auth too. Refuses while the node or a desktop runs. No data is touched. `qvd box stop` does this by itself; script/install --remove calls it.",
  examples: ["qvd box clear"],
  async run(io) {
    requireRoot("clearing a box");
    const mode = openMode(io);
    const file = readProcessFile(mode.layout.nodeProcessFile);
    if (file?.node && isProcessRunning(file.node))
      throw new AppError("conflict", "clearing the box: its node still runs; stop it first");
    const desktops = listCgroupPids(`${findCgroupRoot()}/${mode.config.instance}/c`);
    if (desktops.length > 0)
      throw new AppError(
        "conflict",
        `clearing the box: ${desktops.length} processes of desktops still run; start the node, and stop it with SIGINT`,
      );
    for (const { name } of await endLeftWorkers(mode.layout.nodeProcessFile))
      io.err(`qvd box: ended ${name}\n`);
    await takeDown(mode);
    return 0;
  },
};
