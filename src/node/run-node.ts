/**
 * One box's node process from its start to its end: puts its parts together in the order that they need, and
 * takes them apart again. TERM hands over: desktops, sessions, brokers and auth go on, and the next node
 * process finds them. INT shuts the box down: desktops stop gracefully, then the workers.
 */

import { isDatabaseAway } from "../db/errors.ts";
import { AppError, isAppError } from "../lib/errors.ts";
import { isProcessRunning, readProcessIdentity } from "../lib/process.ts";
import { sleep } from "../lib/wait.ts";
import { registerNode } from "../service/node/register.ts";
import { setShared } from "../service/node/set-shared.ts";
import { Box, type NodeRunDeps } from "./box.ts";
import { keepConnections } from "./keep-connections.ts";
import { readProcessFile } from "./process-file.ts";
import { refuseTakenPort } from "./refuse-taken-port.ts";
import { keepSweepingHistory } from "./sweep-history.ts";

const DATABASE_AGAIN_MS = 500;

/** Runs until the signal aborts; its reason is the name of the signal that came. Returns the exit code. */
export async function runNode(deps: NodeRunDeps, signal: AbortSignal): Promise<number> {
  const { nodeProcessFile } = deps.settings.layout;
  refuseSecond(nodeProcessFile);
  if (deps.sharedPort !== undefined) {
    refuseTakenPort(deps.sharedPort, readProcessFile(nodeProcessFile)?.workers ?? []);
    keepConnections(deps.log);
  }
  const box = new Box(deps);
  const either = AbortSignal.any([signal, box.lost]);
  if ((await start(box, deps, signal)) && !either.aborted)
    await new Promise((resolve) => either.addEventListener("abort", resolve, { once: true }));
  if (box.lost.aborted) {
    // The keeper waits for our end, and whoever keeps this process starts a new one, which begins anew.
    deps.log.error("node-lost", { advice: "another box has taken over; this process ends and begins anew" });
    return 1;
  }
  if (signal.reason === "SIGINT") return (await box.shutDown()) ? 0 : 1;
  await box.handOver();
  return 0;
}

/** False when the signal came first. */
async function start(box: Box, deps: NodeRunDeps, signal: AbortSignal): Promise<boolean> {
  const { log } = deps;
  try {
    box.startWorkers();
    const nodeId = await register(deps, signal);
    if (nodeId === undefined) return false;
    await box.start(nodeId);
    void keepSweepingHistory({ db: deps.database.orm, log }, signal);
    log.info("node-running", { nodeId });
    return true;
  } catch (error) {
    await box.giveUp().catch((failure) => log.error("workers-not-ended", { error: failure }));
    throw error;
  }
}

/** Two node processes of one box would start everything twice. */
function refuseSecond(path: string): void {
  const other = readProcessFile(path)?.node;
  if (other === undefined || other === null || !isProcessRunning(other)) return;
  if (readProcessIdentity(process.pid)?.startTicks === other.startTicks && other.pid === process.pid) return;
  throw new AppError(
    "conflict",
    `starting the node: process ${other.pid} already is the node of this box; end it first`,
  );
}

async function register(deps: NodeRunDeps, signal: AbortSignal) {
  const context = { db: deps.database.orm, actor: { kind: "node", name: deps.name } } as const;
  let isTold = false;
  while (!signal.aborted) {
    try {
      await deps.checkDatabase();
      const { nodeId } = await registerNode(context, { name: deps.name, ...deps.registration });
      await setShared(context, { nodeId, sharedId: deps.takeover?.shared?.id ?? null });
      return nodeId;
    } catch (error) {
      const isAway = isDatabaseAway(error) || (isAppError(error) && error.code === "database-away");
      if (!isAway) throw error;
      if (!isTold) deps.log.warn("node-waits-for-database", { error });
      isTold = true;
      await sleep(DATABASE_AGAIN_MS, signal);
    }
  }
  return undefined;
}
