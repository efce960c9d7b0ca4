import type { Layout } from "../../domain/node/layout.ts";
import { AppError } from "../../lib/errors.ts";
import { isProcessRunning } from "../../lib/process.ts";
import type { Command, CommandIo } from "../command.ts";
import { openMode, requireRoot } from "../mode.ts";
import type { Box } from "./box.ts";
import { openBox } from "./open-box.ts";
import { readBoxStatus } from "./status-file.ts";
import { takeDown } from "./take-down.ts";

export const boxRun: Command = {
  name: "box run",
  summary: "Run a whole box: database, node and admin, restarted when they end.",
  details:
    "For machines where systemd does not do it. Makes the folders, secrets and the TLS certificate at its first start. Ctrl-C and SIGTERM stop desktops, brokers, admin and database in this order; the data stays. The logs of the parts lie in the state folder's `logs`. What an earlier `box run` left behind when it was killed is found again.",
  examples: ["qvd box run", "QVD_STATE=/srv/qvd QVD_INSTANCE=site1 qvd box run"],
  async run(io) {
    requireRoot("running a box");
    refuseSecond(openMode(io).layout);
    const { box, mode } = await openBox(io);
    const end = async () => {
      const isClean = await box.stop();
      // What was killed may have left processes, and they their control groups: nothing is taken from under them.
      if (isClean) await takeDown(mode);
      return isClean;
    };
    return (await runUntilSignal(box, io, end)) ? 0 : 1;
  },
};

async function runUntilSignal(box: Box, io: CommandIo, end: () => Promise<boolean>): Promise<boolean> {
  try {
    if (await box.start(io.signal)) await aborted(io.signal);
  } catch (error) {
    await end();
    box.fail(error);
    throw error;
  }
  return await end();
}

/** Two of them would start everything twice. */
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
