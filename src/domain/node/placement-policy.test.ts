import { describe, expect, test } from "bun:test";
import { asId, type NodeId, type VmId } from "../ids.ts";
import { type PlacementNode, type PlacementVm, planPlacement } from "./placement.ts";
import { manualPolicy, PLACEMENT_POLICIES, type PlacementPolicyName } from "./placement-policy.ts";

function node(id: number, given: Partial<PlacementNode> = {}): PlacementNode {
  const size = { memoryMb: 16_000, cpus: 8, promisedMemoryMb: 0, promisedCpus: 0 };
  return { nodeId: asId<NodeId>(id), name: `n${id}`, isBlocked: false, isUp: true, ...size, ...given };
}

const vm = (id: number): PlacementVm => ({ vmId: asId<VmId>(id), memoryMb: 1_000, cpus: 1 });

function choose(name: PlacementPolicyName, nodes: readonly PlacementNode[], count: number) {
  const vms = Array.from({ length: count }, (_, index) => vm(index + 1));
  const options = { policy: PLACEMENT_POLICIES[name], random: () => 0.5 };
  return planPlacement(vms, nodes, options).map(({ nodeId }) => Number(nodeId));
}

describe("policies of placement", () => {
  test("fill-up fills one box before it begins the next", () => {
    const nodes = [node(1, { memoryMb: 4_000, cpus: 4 }), node(2, { memoryMb: 4_000, cpus: 4 })];
    expect(choose("fill-up", nodes, 7)).toEqual([1, 1, 1, 1, 2, 2, 2]);
  });

  test("fill-up takes the least overfull when all are full", () => {
    const nodes = [node(1, { promisedMemoryMb: 40_000 }), node(2, { promisedMemoryMb: 20_000 })];
    expect(choose("fill-up", nodes, 1)).toEqual([2]);
  });

  test("manual divides what a box has by the desktops it would have", () => {
    // (16000 + 0.8·32000) / (n + 1): 41600 for the empty large one, 20800 for each with one desktop.
    const nodes = [node(1, { desktops: 1 }), node(2, { memoryMb: 8_000, cpus: 4 })];
    expect(choose("manual", nodes, 1)).toEqual([1]);
    expect(choose("manual", [node(1, { desktops: 2 }), node(2, { memoryMb: 8_000, cpus: 4 })], 1)).toEqual([
      2,
    ]);
  });

  test("manual goes by the processors' measured speed where it is known", () => {
    const nodes = [node(1, { bogomips: 10_000 }), node(2, { bogomips: 40_000 })];
    expect(choose("manual", nodes, 1)).toEqual([2]);
  });

  test("manual counts the memory that is free, where the box has said so", () => {
    const nodes = [node(1, { memoryFreeMb: 500 }), node(2, { memoryFreeMb: 9_000 })];
    expect(choose("manual", nodes, 1)).toEqual([2]);
  });

  test("manual weighs memory, processors and chance as the site wishes", () => {
    const nodes = [
      node(1, { memoryFreeMb: 9_000, bogomips: 10_000 }),
      node(2, { memoryFreeMb: 1_000, bogomips: 40_000 }),
    ];
    const chosen = (weights: { memory: number; cpu: number; random: number }, draws: number[]) =>
      planPlacement([vm(1)], nodes, {
        policy: manualPolicy(weights),
        random: () => draws.shift() ?? 0,
      })[0]?.nodeId;
    expect(chosen({ memory: 1, cpu: 0, random: 0 }, [])).toBe(asId<NodeId>(1));
    expect(chosen({ memory: 0, cpu: 1, random: 0 }, [])).toBe(asId<NodeId>(2));
    expect(chosen({ memory: 1, cpu: 0, random: 20_000 }, [0, 0.9])).toBe(asId<NodeId>(2));
  });

  test("each says what it went by", () => {
    const nodes = [node(1, { memoryFreeMb: 9_000, bogomips: 10_000, desktops: 1 })];
    const told = (name: PlacementPolicyName) =>
      planPlacement([vm(1)], nodes, { policy: PLACEMENT_POLICIES[name] })[0]?.reason;
    expect(told("most-free")).toBe("n1 has most room (92 % left with it)");
    expect(told("fill-up")).toBe("n1 is the fullest with room (92 % left with it)");
    expect(told("manual")).toBe("n1 has the best score (8500 by 9000 MB and 1 desktops, before chance)");
  });

  test("manual lets chance decide between equals", () => {
    const numbers = [0.1, 0.9];
    const options = { policy: PLACEMENT_POLICIES.manual, random: () => numbers.shift() ?? 0 };
    expect(planPlacement([vm(1)], [node(1), node(2)], options)[0]?.nodeId).toBe(asId<NodeId>(2));
  });
});

describe("placement of many", () => {
  /** The same by brute force: all nodes scored anew for each desktop. */
  function slowly(name: PlacementPolicyName, vms: readonly PlacementVm[], given: readonly PlacementNode[]) {
    let nodes = [...given];
    return vms.map((one) => {
      const [best] = nodes
        .filter((two) => two.promisedMemoryMb + one.memoryMb <= two.memoryMb * 8)
        .map((two) => ({ two, score: PLACEMENT_POLICIES[name].score(two, one, () => 0) }))
        .sort((a, b) => b.score - a.score || a.two.nodeId - b.two.nodeId);
      if (best === undefined) return Number.NaN;
      const { two } = best;
      const given = {
        ...two,
        desktops: (two.desktops ?? 0) + 1,
        promisedMemoryMb: two.promisedMemoryMb + one.memoryMb,
        promisedCpus: two.promisedCpus + one.cpus,
      };
      nodes = nodes.map((three) => (three === two ? given : three));
      return Number(two.nodeId);
    });
  }

  for (const name of ["most-free", "fill-up", "manual"] as const)
    for (const seed of [1, 2, 3])
      test(`chooses with ${name} what scoring every node anew would choose (seed ${seed})`, () => {
        let state = seed * 7919;
        const next = (most: number) => {
          state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
          return state % most;
        };
        const nodes = Array.from({ length: 12 }, (_, index) =>
          node(index + 1, {
            memoryMb: 2_000 + next(8) * 1_000,
            cpus: 1 + next(8),
            promisedMemoryMb: next(3_000),
          }),
        );
        const vms = Array.from({ length: 300 }, (_, index) => ({
          ...vm(index + 1),
          memoryMb: 500 * (1 + next(4)),
          cpus: 1 + next(2),
        }));
        const options = { policy: PLACEMENT_POLICIES[name] };
        expect(planPlacement(vms, nodes, options).map(({ nodeId }) => Number(nodeId))).toEqual(
          slowly(name, vms, nodes),
        );
      });
});
