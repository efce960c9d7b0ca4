/**
 * Which box gets which unplaced desktop: pure, so that any box may decide for all under one lock. The one with
 * the largest share of memory and processors left after the desktops it has wins; memory counts more, since
 * lacking it kills desktops and lacking processors only slows them.
 */

import type { NodeId, VmId } from "../ids.ts";

export type PlacementNode = {
  readonly nodeId: NodeId;
  readonly name: string;
  readonly isBlocked: boolean;
  /** It holds its lease and says that it runs. */
  readonly isUp: boolean;
  readonly memoryMb: number;
  readonly cpus: number;
  /** What its desktops that run, or are wished to, may take. */
  readonly promisedMemoryMb: number;
  readonly promisedCpus: number;
};

export type PlacementVm = {
  readonly vmId: VmId;
  readonly memoryMb: number;
  readonly cpus: number;
};

export type Placement =
  | { readonly vmId: VmId; readonly nodeId: NodeId; readonly reason: string }
  | { readonly vmId: VmId; readonly nodeId: undefined; readonly reason: string };

export type PlacementWeights = { readonly memory: number; readonly cpus: number };

export const PLACEMENT_WEIGHTS: PlacementWeights = { memory: 0.75, cpus: 0.25 };

export function planPlacement(
  vms: readonly PlacementVm[],
  nodes: readonly PlacementNode[],
  weights: PlacementWeights = PLACEMENT_WEIGHTS,
): readonly Placement[] {
  let left = nodes.filter((node) => node.isUp && !node.isBlocked);
  return vms.map((vm) => {
    const [best] = left
      .map((node) => ({ node, score: scoreOf(node, vm, weights) }))
      // Equal scores go to the lower id, so that the same facts give the same plan.
      .sort((one, other) => other.score - one.score || one.node.nodeId - other.node.nodeId);
    if (best === undefined) return { vmId: vm.vmId, nodeId: undefined, reason: refusal(nodes) };
    left = left.map((node) => (node === best.node ? promise(node, vm) : node));
    const share = Math.round(best.score * 100);
    return {
      vmId: vm.vmId,
      nodeId: best.node.nodeId,
      reason: `${best.node.name} has the most room (${share} % left with it)`,
    };
  });
}

/** Share left with the desktop on it; below 0 where more is promised than there is. */
function scoreOf(node: PlacementNode, vm: PlacementVm, weights: PlacementWeights): number {
  const memory = 1 - (node.promisedMemoryMb + vm.memoryMb) / Math.max(1, node.memoryMb);
  const cpus = 1 - (node.promisedCpus + vm.cpus) / Math.max(1, node.cpus);
  return (weights.memory * memory + weights.cpus * cpus) / (weights.memory + weights.cpus);
}

function promise(node: PlacementNode, vm: PlacementVm): PlacementNode {
  return {
    ...node,
    promisedMemoryMb: node.promisedMemoryMb + vm.memoryMb,
    promisedCpus: node.promisedCpus + vm.cpus,
  };
}

function refusal(nodes: readonly PlacementNode[]): string {
  if (nodes.length === 0) return "No node is registered.";
  const names = (some: readonly PlacementNode[]) => some.map((node) => node.name).join(", ");
  const blocked = nodes.filter((node) => node.isBlocked);
  const down = nodes.filter((node) => !node.isBlocked && !node.isUp);
  const reasons = [
    ...(blocked.length > 0 ? [`blocked: ${names(blocked)}`] : []),
    ...(down.length > 0 ? [`down: ${names(down)}`] : []),
  ];
  return `No node can take it (${reasons.join("; ")}).`;
}
