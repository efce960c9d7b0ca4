/**
 * How good a node is for a desktop. A policy is a function of what the node has and has promised; the site's
 * owner chooses among these by `QVD_PLACEMENT`, or brings one (`load-placement-policy.ts`).
 */

import type { PlacementNode, PlacementVm } from "./placement.ts";

export type PlacementPolicy = {
  /**
   * The greatest wins; asked again for a node after each desktop that it was given. `random` gives numbers from
   * 0 to below 1.
   */
  readonly score: (node: PlacementNode, vm: PlacementVm, random: () => number) => number;
  /** Why the one that was chosen: the words after its name. */
  readonly reason: (node: PlacementNode, vm: PlacementVm) => string;
};

export const PLACEMENT_POLICY_NAMES = ["most-free", "fill-up", "manual"] as const;
export type PlacementPolicyName = (typeof PLACEMENT_POLICY_NAMES)[number];

/** What counts how much for `manual`; 0 and above. */
export type PlacementWeights = { readonly memory: number; readonly cpu: number; readonly random: number };

/** Those of QVD 4 as it ships. */
export const MANUAL_WEIGHTS: PlacementWeights = { memory: 1, cpu: 1, random: 1 };

/** Memory counts more: lacking it kills desktops, lacking processors only slows them. */
const FREE_WEIGHTS = { memory: 0.75, cpus: 0.25 };
/** What QVD 4 leaves of the processors for desktops. */
const USABLE_CPU = 0.8;
/** Of a core nobody knows the speed of. */
const USUAL_BOGOMIPS = 4_000;

const mostFree: PlacementPolicy = {
  score: (node, vm) => weighted(shareLeft(node, vm), node.weight ?? 1),
  reason: (node, vm) => `has most room (${formatShare(node, vm)} left with it)`,
};

const fillUp: PlacementPolicy = {
  score: (node, vm) => {
    const share = shareLeft(node, vm);
    // A full box comes after all others, the fullest last.
    return weighted(share < 0 ? share - 1 : 1 - share, node.weight ?? 1);
  },
  reason: (node, vm) => `is the fullest with room (${formatShare(node, vm)} left with it)`,
};

/**
 * QVD 4's (`QVD::L7R::LoadBalancer::Plugin::Default`): what the box has by the desktops that it would have, and
 * chance. Memory is what is free now, where the box has said so; QVD 4 counted all of it, whatever ran there.
 */
export function manualPolicy(weights: PlacementWeights): PlacementPolicy {
  const hadBy = (node: PlacementNode) => {
    const cpu = USABLE_CPU * (node.bogomips ?? node.cpus * USUAL_BOGOMIPS);
    const had = weights.memory * (node.memoryFreeMb ?? node.memoryMb) + weights.cpu * cpu;
    return had / ((node.desktops ?? 0) + 1);
  };
  return {
    score: (node, _vm, random) => (hadBy(node) + weights.random * random()) * (node.weight ?? 1),
    reason: (node) => {
      const free = `${node.memoryFreeMb ?? node.memoryMb} MB`;
      return `has the best score (${Math.round(hadBy(node))} by ${free} and ${node.desktops ?? 0} desktops, before chance)`;
    },
  };
}

export const PLACEMENT_POLICIES: Readonly<Record<PlacementPolicyName, PlacementPolicy>> = {
  /** Spreads: the largest share of memory and processors left with the desktop on it. */
  "most-free": mostFree,
  /** Packs, so that empty boxes may sleep: the smallest share left, as long as there is room. */
  "fill-up": fillUp,
  manual: manualPolicy(MANUAL_WEIGHTS),
};

function formatShare(node: PlacementNode, vm: PlacementVm): string {
  return `${Math.round(shareLeft(node, vm) * 100)} %`;
}

/** Below 0 where more is promised than there is. */
export function shareLeft(node: PlacementNode, vm: PlacementVm): number {
  const memory = 1 - (node.promisedMemoryMb + vm.memoryMb) / Math.max(1, node.memoryMb);
  const cpus = 1 - (node.promisedCpus + vm.cpus) / Math.max(1, node.cpus);
  return FREE_WEIGHTS.memory * memory + FREE_WEIGHTS.cpus * cpus;
}

/** A weight makes a node better, also where its score is negative; 0 comes after all others. */
function weighted(score: number, weight: number): number {
  if (weight === 0) return score - 1_000_000;
  return score >= 0 ? score * weight : score / weight;
}
