/** One keeper from its start to its end; `qvd keeper run` wires it. */

import type { NodeId } from "../../domain/ids.ts";
import { describeError } from "../../lib/errors.ts";
import { sleep } from "../../lib/wait.ts";
import { type KeeperFile, type KeeperOrigin, readKeeperFile, writeKeeperFile } from "../lease/keeper-file.ts";
import { Keeper, type KeeperDeps } from "./keeper.ts";
import type { RowKeeper } from "./row-keeper.ts";

export type RunKeeperDeps = Omit<KeeperDeps, "nodeId" | "row" | "findNode" | "before" | "tell"> & {
  readonly nodeName: string;
  readonly row: RowKeeper;
  readonly filePath: string;
  readonly bootId: string;
};

const FIND_AGAIN_MS = 300;

/** Runs until the signal aborts. Before the node has registered there is nothing to keep. */
export async function runKeeper(deps: RunKeeperDeps, signal: AbortSignal): Promise<void> {
  const { row, filePath, nodeName, boxId, log } = deps;
  const origin = { bootId: deps.bootId, boxId: deps.boxId };
  const before = readKeeperFile(filePath, origin);
  const nodeId = (before?.nodeId as NodeId | undefined) ?? (await findNode(deps, signal));
  if (nodeId === undefined) return;
  const keeper = new Keeper({
    ...deps,
    nodeId,
    row,
    findNode: () => row.findNode(nodeName, boxId),
    before,
    tell: (file: Omit<KeeperFile, keyof KeeperOrigin | "pid">) =>
      writeKeeperFile(filePath, { ...file, ...origin, pid: process.pid }),
  });
  keeper.start();
  log.info("keeper-running", { nodeId, isSuccessor: before !== undefined });
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  await keeper.stop();
}

async function findNode(deps: RunKeeperDeps, signal: AbortSignal): Promise<NodeId | undefined> {
  while (!signal.aborted) {
    try {
      const nodeId = await deps.row.findNode(deps.nodeName, deps.boxId);
      if (nodeId !== undefined) return nodeId;
    } catch (error) {
      deps.log.debug("node-not-found", { reason: describeError(error) });
    }
    await sleep(FIND_AGAIN_MS, signal);
  }
  return undefined;
}
