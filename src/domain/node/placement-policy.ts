/**
 * How good a node is for a desktop: the plug-in point of placement. A policy is one function of what the node
 * has and has promised; the site's owner chooses among them by `QVD_PLACEMENT`. A new one is a function and a
 * line in the table.
 */

import type { PlacementNode, PlacementVm } from "./placement.ts";

/**
 * The greatest score wins. Asked again for a node after each desktop that it was given. `random` gives numbers
 * from 0 to below 1.
 */
export type PlacementPolicy = (node: PlacementNode, vm: PlacementVm, random: () => number) => number;

export const PLACEMENT_POLICY_NAMES = ["most-free", "fill-up", "manual"] as const;
export type PlacementPolicyName = (typeof PLACEMENT_POLICY_NAMES)[number];

/** Memory counts more: lacking it kills desktops, lacking processors only slows them. */
const FREE_WEIGHTS = { memory: 0.75, cpus: 0.25 };
/** Those of QVD 4 as it ships. */
const MANUAL_WEIGHTS = { memory: 1, cpus: 1, random: 1 };
/** What QVD 4 leaves of the processors for desktops. */
const USABLE_CPU = 0.8;
/** Of a core nobody knows the speed of. */
const USUAL_BOGOMIPS = 4_000;

export const PLACEMENT_POLICIES = {
  /** Spreads: the largest share of memory and processors left with the desktop on it. */
  "most-free": (node, vm) => weighted(shareLeft(node, vm), node.weight ?? 1),
  /** Packs, so that empty boxes may sleep: the smallest share left, as long as there is room. */
  "fill-up": (node, vm) => {
    const share = shareLeft(node, vm);
    // A full box comes after all others, the fullest last.
    return weighted(share < 0 ? share - 1 : 1 - share, node.weight ?? 1);
  },
  /** QVD 4's: what the box has by the desktops that it would have, and a bit of chance. */
  manual: (node, _vm, random) => {
    const cpu = USABLE_CPU * (node.bogomips ?? node.cpus * USUAL_BOGOMIPS);
    const had = MANUAL_WEIGHTS.memory * node.memoryMb + MANUAL_WEIGHTS.cpus * cpu;
    const score = had / ((node.desktops ?? 0) + 1) + MANUAL_WEIGHTS.random * random();
    return score * (node.weight ?? 1);
  },
} as const satisfies Record<PlacementPolicyName, PlacementPolicy>;

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
