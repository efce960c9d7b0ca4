import type { Layout } from "../../domain/node/layout.ts";
import { AppError } from "../../lib/errors.ts";
import { findCgroupRoot, isProcessRunning, removeCgroup } from "../../lib/process.ts";
import type { Command, CommandIo } from "../command.ts";
import { openMode, requireRoot } from "../mode.ts";
import { Box } from "./box.ts";
import { prepareBox } from "./prepare.ts";
import { readBoxStatus } from "./status-file.ts";

export const boxRun: Command = {
  name: "box run",
  summary: "Run a whole box: database, node and admin, restarted when they end.",
  details:
    "For machines where systemd does not do it. Makes the folders, secrets and the TLS certificate at its first start. Ctrl-C and SIGTERM stop desktops, brokers, admin and database in this order; the data stays. The logs of the parts lie in the state folder's `logs`.",
  examples: ["qvd box run", "QVD_STATE=/srv/qvd QVD_INSTANCE=site1 qvd box run"],
  async run(io) {
    requireRoot("running a box");
    const mode = openMode(io);
    refuseSecond(mode.layout);
    await prepareBox(mode.layout);
    const cgroupFolder = `${findCgroupRoot()}/${mode.config.instance}/b`;
    const box = new Box({ mode, cgroupFolder, tell: (text) => io.err(`qvd box: ${text}\n`) });
    const isStopped = await runUntilSignal(box, io);
    await removeCgroup(cgroupFolder, 2_000);
    return isStopped ? 0 : 1;
  },
};

async function runUntilSignal(box: Box, io: CommandIo): Promise<boolean> {
  try {
    if (await box.start(io.signal)) await aborted(io.signal);
  } catch (error) {
    await box.stop();
    box.fail(error);
    throw error;
  }
  return await box.stop();
}

/** Two of them would start everything twice. What an earlier one left behind is found again instead. */
function refuseSecond(layout: Layout): void {
  const other = readBoxStatus(layout)?.box;
  if (other === undefined || other === null || !isProcessRunning(other)) return;
  throw new AppError("conflict", `running a box: process ${other.pid} already runs it; end that one first`);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
