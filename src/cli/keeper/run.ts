import { openDatabase } from "../../db/client.ts";
import { isShared, type Layout } from "../../domain/node/layout.ts";
import { leaseTimes } from "../../domain/node/lease-times.ts";
import { isProcessRunning, signalProcess } from "../../lib/process.ts";
import { waitFor } from "../../lib/wait.ts";
import { createRowKeeper } from "../../node/keeper/row-keeper.ts";
import { runKeeper } from "../../node/keeper/run-keeper.ts";
import { openKeeperCalls } from "../../node/keeper/system-calls.ts";
import { openWatchdog } from "../../node/keeper/watchdog.ts";
import { counterFile, writeCounter } from "../../node/lease/counter-file.ts";
import { keeperFile, readBootId } from "../../node/lease/keeper-file.ts";
import { readProcessFile } from "../../node/process-file.ts";
import type { Command } from "../command.ts";
import { openMode, requireRoot } from "../mode.ts";
import { readBoxId } from "../node/read-box-id.ts";
import { openBoxStorage, openFence } from "./lease.ts";

export const keeperRun: Command = {
  name: "keeper run",
  summary: "Keep this box's right to run desktops, and stop them when it is lost.",
  details: [
    "Started by `qvd node run`, which it outlives. Renews the box's row in the database and its counter on the",
    "shared storage. When it can renew neither it freezes the desktops before another box may take over; when one",
    "has, it kills them. See docs/operations/failover.md.",
  ].join(" "),
  examples: ["qvd keeper run"],
  async run(io) {
    requireRoot("keeping the right to run desktops");
    const { config, layout, log: plainLog, database: address } = openMode(io);
    const log = plainLog.with({ process: "keeper" });
    const calls = openKeeperCalls();
    const times = leaseTimes(config.leaseSeconds * 1000);
    // A keeper unmounts only what belongs to an epoch that is over.
    const storage = openBoxStorage({ config, layout, log }, () => "dropped");
    const databaseAddress = await address("qvd_node");
    const open = () => openDatabase(databaseAddress, { max: 1, applicationName: "qvd keeper" });
    const row = createRowKeeper(open, times);
    const watchdog = openWatchdog(config.watchdog, log);
    const fence = openFence({ config, layout, storage, log });
    if (!calls.lockMemory())
      log.warn("memory-not-locked", { advice: "a box short of memory may fence late; grant CAP_IPC_LOCK" });
    try {
      await runKeeper(
        {
          nodeName: config.nodeName,
          row,
          writeCounter: isShared(layout)
            ? (nodeId, counter) => writeCounter(counterFile(layout.leasesFolder, nodeId), counter)
            : undefined,
          boxId: readBoxId(layout.stateFolder),
          fence,
          filePath: keeperFile(layout.runFolder),
          bootId: readBootId(),
          endNode: () => endNode(layout),
          patWatchdog: () => watchdog.pat(),
          bootMs: () => calls.bootMs(),
          times,
          log,
        },
        io.signal,
      );
    } finally {
      watchdog.disarm();
      await row.close();
    }
    return 0;
  },
};

const NODE_GRACE_MS = 1_000;
const NODE_KILL_MS = 5_000;

/** It ends by itself when it learns of the loss, unless it is stopped. */
async function endNode(layout: Layout): Promise<void> {
  const node = readProcessFile(layout.nodeProcessFile)?.node;
  if (!node) return;
  const isGone = () => !isProcessRunning(node);
  if (await waitFor(isGone, { timeoutMs: NODE_GRACE_MS })) return;
  signalProcess(node, "SIGKILL");
  await waitFor(isGone, { timeoutMs: NODE_KILL_MS });
}
