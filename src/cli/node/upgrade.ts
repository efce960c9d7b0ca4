import { AppError } from "../../lib/errors.ts";
import { isProcessRunning, signalProcess } from "../../lib/process.ts";
import { waitFor } from "../../lib/wait.ts";
import { type ProcessFile, readProcessFile } from "../../node/process-file.ts";
import type { Command } from "../command.ts";
import { openMode, requireRoot } from "../mode.ts";

/** systemd waits some seconds before it starts a unit again. */
const START_MS = 60_000;
const REPLACE_MS = 60_000;

export const nodeUpgrade: Command = {
  name: "node upgrade",
  summary: "Have this box's node run the executable and settings that are in place now.",
  details: [
    "Ends the node process; systemd or `qvd box run` starts it again. Desktops and sessions go on. Broker processes of",
    "another version or with other settings are replaced: new ones take the port, and the old ones keep their sessions",
    "until these end or QVD_BROKER_DRAIN is over. `qvd node status` shows how far that is.",
  ].join("\n"),
  examples: ["qvd node upgrade"],
  async run(io) {
    requireRoot("qvd node upgrade");
    const path = openMode(io).layout.nodeProcessFile;
    const before = readProcessFile(path)?.node;
    if (!before || !isProcessRunning(before))
      throw new AppError(
        "not-found",
        "upgrading the node: none runs here with these settings; `systemctl start qvd-node` or `qvd box run` starts one",
      );
    signalProcess(before, "SIGTERM");
    const started = await awaitFile(path, { timeoutMs: START_MS, signal: io.signal }, ({ node }) => {
      return node !== null && node.pid !== before.pid && isProcessRunning(node);
    });
    if (started === undefined)
      throw new AppError(
        "timeout",
        `upgrading the node: process ${before.pid} was ended, and no other has started after ${START_MS / 1000} s. \`journalctl -u qvd-node\`, or node.log in the logs folder, says why`,
      );
    const replaced = await awaitFile(path, { timeoutMs: REPLACE_MS, signal: io.signal }, hasReplaced);
    if (replaced === undefined)
      throw new AppError(
        "timeout",
        "upgrading the node: the new brokers don't listen, so the old ones go on serving. broker-1.log in the logs folder says why",
      );
    const draining = replaced.workers.filter(
      (worker) => worker.isReplaced && isProcessRunning(worker),
    ).length;
    io.err(`the node runs version ${replaced.version}; old broker processes that drain: ${draining}\n`);
    return 0;

    function hasReplaced({ node, nodeId, workers }: ProcessFile): boolean {
      const isUp = node !== null && node.pid !== before?.pid && nodeId > 0 && isProcessRunning(node);
      const brokers = workers.filter((worker) => worker.drains && !worker.isReplaced);
      const names = new Set(brokers.map(({ name }) => name));
      return isUp && brokers.length > 0 && names.size === brokers.length;
    }
  },
};

function awaitFile(
  path: string,
  wait: { readonly timeoutMs: number; readonly signal: AbortSignal },
  isWanted: (file: ProcessFile) => boolean,
): Promise<ProcessFile | undefined> {
  const look = () => {
    const file = readProcessFile(path);
    return file !== undefined && isWanted(file) && file;
  };
  return waitFor(look, { ...wait, everyMs: 100 });
}
