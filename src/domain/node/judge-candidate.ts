/** Whether a node may take a desktop at all, and the words for those that may not. Pure. */

import type { PlacementNode, PlacementVm } from "./placement.ts";

/** Why a node can't take a desktop. The kind is for grouping many nodes, the text for one of them. */
export type Rejection = { readonly kind: string; readonly text: string };

export type Rejected = { readonly node: string; readonly reason: string };

const MOST_NAMED = 5;
const MOST_CANDIDATES = 50;

/** Undefined when it may. `overcommit` is how often a node's memory may be promised; 0 is without limit. */
export function judgeCandidate(
  node: PlacementNode,
  vm: PlacementVm,
  overcommit: number,
): Rejection | undefined {
  return judgeNode(node) ?? judgeHome(node, vm) ?? judgeMeans(node, vm, overcommit);
}

/** Undefined when it takes desktops at all. */
export function judgeNode(
  node: Pick<PlacementNode, "isBlocked" | "drain" | "isUp" | "isLost">,
): Rejection | undefined {
  if (node.isBlocked) return { kind: "blocked", text: "it is blocked" };
  if ((node.drain ?? null) !== null) return { kind: "being drained", text: "it is being drained" };
  if (!node.isUp)
    return node.isLost === true
      ? { kind: "lost", text: "it is lost: its lease has lapsed" }
      : { kind: "down", text: "it is down" };
  return undefined;
}

/** A home that lies on a box's own disk, or on storage that only some boxes share, ties its desktop to them. */
function judgeHome(node: PlacementNode, { home }: PlacementVm): Rejection | undefined {
  if (home === undefined || home.nodeId === node.nodeId) return undefined;
  const kind = `without the storage on which its home lies (that of ${home.nodeName})`;
  if (home.sharedId === null)
    return { kind, text: `its home lies on ${home.nodeName}, whose storage is not shared` };
  if (home.sharedId === node.sharedId) return undefined;
  return { kind, text: `it does not have the shared storage of ${home.nodeName}, where its home lies` };
}

function judgeMeans(node: PlacementNode, vm: PlacementVm, overcommit: number): Rejection | undefined {
  const { hypervisors, memoryMb, promisedMemoryMb } = node;
  const hypervisor = vm.hypervisor ?? "lxc";
  if (hypervisors !== undefined && !hypervisors.includes(hypervisor)) {
    const kind = `not able to run ${hypervisor} desktops`;
    return { kind, text: `it can't run ${hypervisor} desktops` };
  }
  // A node that hasn't told its size yet is taken at its word that it is up.
  if (overcommit === 0 || memoryMb === 0) return undefined;
  const mostMb = memoryMb * overcommit;
  if (promisedMemoryMb + vm.memoryMb <= mostMb) return undefined;
  const text = `not enough memory: ${promisedMemoryMb} of ${mostMb} MB are promised, and it needs ${vm.memoryMb}`;
  return { kind: "without enough memory", text };
}

/** One sentence about all of them, without figures: it stays the same while the reasons do. */
export function describeRejections(rejected: readonly (Rejection & { readonly node: string })[]): string {
  if (rejected.length === 0) return "No node is registered.";
  const kinds = new Map<string, string[]>();
  for (const { kind, node } of rejected) {
    const names = kinds.get(kind);
    if (names === undefined) kinds.set(kind, [node]);
    else names.push(node);
  }
  const parts = [...kinds].map(([kind, names]) => {
    const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : "";
    return `${kind}: ${names.slice(0, MOST_NAMED).join(", ")}${more}`;
  });
  return `No node can take it (${parts.join("; ")}).`;
}

export function listCandidates(
  rejected: readonly (Rejection & { readonly node: string })[],
): readonly Rejected[] {
  return rejected.slice(0, MOST_CANDIDATES).map(({ node, text }) => ({ node, reason: text }));
}
