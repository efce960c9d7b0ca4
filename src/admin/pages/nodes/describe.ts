/** How a node is, in a word, and what it says of itself. For the pages and the API. */

import type { NodeRow } from "../../../db/queries/nodes.ts";
import type { NodeFacts, NodeProblem } from "../../../domain/node/report.ts";
import type { Tone } from "../../../ui/tone.ts";

/** A node reports at least this often; when it is silent for longer, something is wrong with it. */
const SILENT_AFTER_MS = 30_000;

export function describeNode(node: NodeRow): { readonly tone: Tone; readonly text: string } {
  if (node.reportedAt === null) return { tone: "idle", text: "Never seen" };
  if (node.state === "stopped") return { tone: "idle", text: "Stopped" };
  if (isLost(node)) return { tone: "bad", text: "Lost" };
  if (node.state === "starting") return { tone: "busy", text: "Starting" };
  if (node.state === "stopping") return { tone: "warn", text: "Stopping" };
  return readNodeFacts(node)?.problems.length
    ? { tone: "warn", text: "Degraded" }
    : { tone: "good", text: "Running" };
}

/** It didn't say that it stops, and has let its right to run desktops lapse. */
export function isLost(node: NodeRow): boolean {
  return node.state !== "stopped" && !node.isLeaseValid && (node.reportAgeMs ?? 0) > SILENT_AFTER_MS;
}

/** What a person should look at, first what the node can't say itself. */
export function listNodeProblems(node: NodeRow): readonly NodeProblem[] {
  const own = isLost(node) ? [] : (readNodeFacts(node)?.problems ?? []);
  if (!isLost(node)) return own;
  return [
    {
      text: `Node ${node.name} is lost: it says nothing, and its lease has lapsed.`,
      advice:
        "Look whether the box is up and `qvd node run` is running there; `qvd node status` on it says more. Desktops on shared storage are taken over by other nodes.",
    },
  ];
}

/** `facts` was written by a node of some version: anything that doesn't look like ours counts as nothing. */
export function readNodeFacts(node: NodeRow): NodeFacts | undefined {
  const { facts } = node;
  const isOurs = typeof facts === "object" && facts !== null && "problems" in facts && "workers" in facts;
  return isOurs ? (facts as NodeFacts) : undefined;
}
