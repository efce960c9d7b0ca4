/** A process with many lean nodes: `bun bench/scale/nodes.ts '{"nodeIds":[…],…}'`; says `ready` when all of them run. */

import type { DatabaseAddress } from "../../src/db/url.ts";
import type { DiId, NodeId } from "../../src/domain/ids.ts";
import { createCoarseTimers } from "./coarse-timers.ts";
import { startLeanNode } from "./lean-node.ts";

export type NodesOptions = {
  readonly nodeIds: readonly NodeId[];
  readonly address: DatabaseAddress;
  readonly folder: string;
  readonly diId: DiId;
};

const AT_ONCE = 50;
const TICK_MS = 20;

const timers = createCoarseTimers(TICK_MS);
const given: NodesOptions = JSON.parse(process.argv[2] ?? "{}");
for (let first = 0; first < given.nodeIds.length; first += AT_ONCE)
  await Promise.all(
    given.nodeIds.slice(first, first + AT_ONCE).map((nodeId) => startLeanNode({ ...given, nodeId, timers })),
  );
process.stdout.write("ready\n");
