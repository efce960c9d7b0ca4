/**
 * Which box gets which unplaced desktop: pure, so that any box may decide for all under one lock. Who may take
 * a desktop at all is `judge-candidate.ts`; who of them is best, the policy's.
 *
 * Made for tens of thousands of desktops and thousands of nodes: desktops of the same size and bonds form a
 * class with a heap of its candidates, and a node that got one changes its place in each heap. A node that
 * has no room for a class is out of it for good, since this plan only ever gives away.
 */

import type { NodeId, VmId } from "../ids.ts";
import { CandidateHeap } from "./candidate-heap.ts";
import {
  describeRejections,
  judgeCandidate,
  listCandidates,
  type Rejected,
  type Rejection,
} from "./judge-candidate.ts";
import { PLACEMENT_POLICIES, type PlacementPolicy } from "./placement-policy.ts";

export type PlacementNode = {
  readonly nodeId: NodeId;
  readonly name: string;
  readonly isBlocked: boolean;
  /** It holds its lease and says that it runs. */
  readonly isUp: boolean;
  /** It isn't up although it never said that it stops. */
  readonly isLost?: boolean;
  readonly drain?: "finish" | "move" | null;
  /** Identity of the shared storage that it has; null without. */
  readonly sharedId?: string | null;
  /** Undefined where it hasn't said so: then it can run any. */
  readonly hypervisors?: readonly string[] | undefined;
  /** Multiplies its score; 0 makes it the last resort. */
  readonly weight?: number;
  readonly memoryMb: number;
  /** As the box last said; undefined where it hasn't. */
  readonly memoryFreeMb?: number | undefined;
  readonly cpus: number;
  /** Of all its processors, as the kernel measured them. */
  readonly bogomips?: number | undefined;
  /** Desktops that are placed there. */
  readonly desktops?: number;
  /** What its desktops that run, or are wished to, may take. */
  readonly promisedMemoryMb: number;
  readonly promisedCpus: number;
};

export type PlacementVm = {
  readonly vmId: VmId;
  readonly memoryMb: number;
  readonly cpus: number;
  readonly hypervisor?: "lxc" | "kvm";
  /** Where its data lie; undefined for a desktop that has none, which may go anywhere. */
  readonly home?: PlacementHome | undefined;
};

export type PlacementHome = {
  readonly nodeId: NodeId;
  readonly nodeName: string;
  readonly sharedId: string | null;
};

export type Placement =
  | { readonly vmId: VmId; readonly nodeId: NodeId; readonly reason: string }
  | {
      readonly vmId: VmId;
      readonly nodeId: undefined;
      readonly reason: string;
      /** Each node with why it can't; the first 50. */
      readonly candidates: readonly Rejected[];
    };

export type PlacementOptions = {
  readonly policy?: PlacementPolicy;
  /** How many times a node's memory may be promised to desktops; 0 is without limit. */
  readonly overcommit?: number;
  readonly random?: () => number;
};

/** What the settings default to: desktops seldom use a tenth of what they may. */
export const DEFAULT_OVERCOMMIT = 8;

export function planPlacement(
  vms: readonly PlacementVm[],
  nodes: readonly PlacementNode[],
  options: PlacementOptions = {},
): readonly Placement[] {
  const placer = new Placer(nodes, options);
  return vms.map((vm) => placer.place(vm));
}

type VmClass = { readonly sample: PlacementVm; readonly heap: CandidateHeap; refusal: Placement | undefined };

/** Remembers what it has given away, for desktops that come in portions. */
export class Placer {
  readonly #nodes: Map<number, PlacementNode>;
  readonly #classes = new Map<string, VmClass>();
  /** Those that a node is a candidate of. */
  readonly #classesOfNode = new Map<number, VmClass[]>();
  readonly #policy: PlacementPolicy;
  readonly #overcommit: number;
  readonly #random: () => number;

  constructor(nodes: readonly PlacementNode[], options: PlacementOptions = {}) {
    this.#nodes = new Map(nodes.map((node) => [node.nodeId, node]));
    this.#policy = options.policy ?? PLACEMENT_POLICIES["most-free"];
    this.#overcommit = options.overcommit ?? DEFAULT_OVERCOMMIT;
    this.#random = options.random ?? (() => 0);
  }

  place(vm: PlacementVm): Placement {
    const { vmId } = vm;
    const found = this.#classOf(vm);
    for (;;) {
      const id = found.heap.best();
      const node = id === undefined ? undefined : this.#nodes.get(id);
      if (id === undefined || node === undefined) {
        found.refusal ??= this.#refuse(vm);
        return { ...found.refusal, vmId };
      }
      if (judgeCandidate(node, vm, this.#overcommit) !== undefined) found.heap.remove(id);
      else {
        const reason = `${node.name} ${this.#policy.reason(node, vm)}`;
        this.#give(node, vm);
        return { vmId, nodeId: node.nodeId, reason };
      }
    }
  }

  #classOf(vm: PlacementVm): VmClass {
    const { memoryMb, cpus, home } = vm;
    // Boxes with the same storage are as good as each other for the home.
    const bond = home === undefined ? "" : (home.sharedId ?? `node ${home.nodeId}`);
    const key = [vm.hypervisor ?? "lxc", memoryMb, cpus, bond].join("/");
    const known = this.#classes.get(key);
    if (known !== undefined) return known;
    const made: VmClass = { sample: vm, heap: new CandidateHeap(), refusal: undefined };
    const only = home !== undefined && home.sharedId === null ? this.#nodes.get(home.nodeId) : undefined;
    for (const node of only === undefined ? this.#nodes.values() : [only])
      if (judgeCandidate(node, vm, this.#overcommit) === undefined) this.#enter(made, node);
    this.#classes.set(key, made);
    return made;
  }

  #enter(into: VmClass, node: PlacementNode): void {
    into.heap.set(node.nodeId, this.#policy.score(node, into.sample, this.#random));
    const classes = this.#classesOfNode.get(node.nodeId);
    if (classes === undefined) this.#classesOfNode.set(node.nodeId, [into]);
    else classes.push(into);
  }

  #give(node: PlacementNode, vm: PlacementVm): void {
    const next = {
      ...node,
      desktops: (node.desktops ?? 0) + 1,
      promisedMemoryMb: node.promisedMemoryMb + vm.memoryMb,
      promisedCpus: node.promisedCpus + vm.cpus,
    };
    this.#nodes.set(node.nodeId, next);
    for (const { heap, sample } of this.#classesOfNode.get(node.nodeId) ?? [])
      if (heap.has(node.nodeId)) heap.set(node.nodeId, this.#policy.score(next, sample, this.#random));
  }

  #refuse(vm: PlacementVm): Placement {
    const rejected = [...this.#nodes.values()].map((node) => {
      const rejection: Rejection = judgeCandidate(node, vm, this.#overcommit) ?? {
        kind: "full",
        text: "it is full",
      };
      return { node: node.name, ...rejection };
    });
    const candidates = listCandidates(rejected);
    return { vmId: vm.vmId, nodeId: undefined, reason: describeRejections(rejected), candidates };
  }
}
