import { describe, expect, test } from "bun:test";
import { asId, type NodeId, type VmId } from "../ids.ts";
import { type PlacementNode, type PlacementVm, planPlacement } from "./placement.ts";

function node(id: number, given: Partial<PlacementNode> = {}): PlacementNode {
  const size = { memoryMb: 16_000, cpus: 8, promisedMemoryMb: 0, promisedCpus: 0 };
  return { nodeId: asId<NodeId>(id), name: `n${id}`, isBlocked: false, isUp: true, ...size, ...given };
}

function vm(id: number, given: Partial<PlacementVm> = {}): PlacementVm {
  return { vmId: asId<VmId>(id), memoryMb: 1_000, cpus: 1, ...given };
}

const chosen = (vms: readonly PlacementVm[], nodes: readonly PlacementNode[]) =>
  planPlacement(vms, nodes).map((placement) => placement.nodeId as number | undefined);

describe("placement", () => {
  const cases: readonly [
    string,
    readonly PlacementVm[],
    readonly PlacementNode[],
    readonly (number | undefined)[],
  ][] = [
    ["has nothing to do without desktops", [], [node(1)], []],
    ["gives the only node everything", [vm(1), vm(2)], [node(1)], [1, 1]],
    ["prefers the node with more memory free", [vm(1)], [node(1, { promisedMemoryMb: 8_000 }), node(2)], [2]],
    [
      "prefers the node with more processors free where memory is equal",
      [vm(1)],
      [node(1, { promisedCpus: 4 }), node(2)],
      [2],
    ],
    [
      "minds memory more than processors",
      [vm(1)],
      [node(1, { promisedMemoryMb: 8_000 }), node(2, { promisedCpus: 4 })],
      [2],
    ],
    [
      "takes shares, not megabytes: a small empty node before a large full one",
      [vm(1)],
      [node(1, { memoryMb: 64_000, promisedMemoryMb: 60_000 }), node(2, { memoryMb: 8_000 })],
      [2],
    ],
    ["counts what it has just given away", [vm(1), vm(2), vm(3)], [node(1), node(2)], [1, 2, 1]],
    ["gives equal nodes in the order of their ids", [vm(1)], [node(2), node(1)], [1]],
    [
      "passes over a blocked node",
      [vm(1)],
      [node(1, { isBlocked: true }), node(2, { promisedMemoryMb: 15_000 })],
      [2],
    ],
    [
      "passes over a node that is down",
      [vm(1)],
      [node(1, { isUp: false }), node(2, { promisedMemoryMb: 15_000 })],
      [2],
    ],
    ["promises more memory than there is", [vm(1, { memoryMb: 99_000 })], [node(1)], [1]],
    ["refuses what goes beyond the overcommit", [vm(1, { memoryMb: 129_000 })], [node(1)], [undefined]],
    [
      "gives the rest of the room to smaller desktops",
      [vm(1, { memoryMb: 100_000 }), vm(2, { memoryMb: 100_000 }), vm(3)],
      [node(1)],
      [1, undefined, 1],
    ],
    ["passes over a node that is being drained", [vm(1)], [node(1, { drain: "finish" }), node(2)], [2]],
    [
      "follows the home to the box that holds it",
      [vm(1, { home: { nodeId: asId<NodeId>(2), nodeName: "n2", sharedId: null } })],
      [node(1), node(2, { promisedMemoryMb: 15_000 })],
      [2],
    ],
    [
      "moves a home on shared storage to whoever shares it",
      [vm(1, { home: { nodeId: asId<NodeId>(9), nodeName: "n9", sharedId: "nfs" } })],
      [node(1), node(2, { sharedId: "nfs", promisedMemoryMb: 15_000 }), node(3, { sharedId: "other" })],
      [2],
    ],
    [
      "leaves a virtual machine to nodes that can run one",
      [vm(1, { hypervisor: "kvm" })],
      [node(1, { hypervisors: ["lxc"] }), node(2, { hypervisors: ["lxc", "kvm"], promisedMemoryMb: 15_000 })],
      [2],
    ],
    ["minds weights", [vm(1)], [node(1), node(2, { weight: 2, promisedMemoryMb: 4_000 })], [2]],
    [
      "takes a node of weight 0 last, but takes it",
      [vm(1), vm(2, { memoryMb: 100_000 })],
      [node(1, { weight: 0 }), node(2, { promisedMemoryMb: 100_000 })],
      [2, 1],
    ],
    [
      "gives nothing to a node that never said what it has, where another has room",
      [vm(1)],
      [node(1, { memoryMb: 0, cpus: 0 }), node(2)],
      [2],
    ],
    [
      "refuses when nobody is up",
      [vm(1)],
      [node(1, { isUp: false }), node(2, { isBlocked: true })],
      [undefined],
    ],
    ["refuses when there is nobody", [vm(1)], [], [undefined]],
  ];
  for (const [rule, vms, nodes, expected] of cases)
    test(rule, () => expect(chosen(vms, nodes)).toEqual([...expected]));

  test("says why it chose, and why it refused", () => {
    expect(planPlacement([vm(1)], [node(1)])[0]?.reason).toBe("n1 has most room (92 % left with it)");
    expect(planPlacement([vm(1)], [])[0]?.reason).toBe("No node is registered.");
    const nodes = [node(1, { isUp: false }), node(2, { isBlocked: true, isUp: false })];
    expect(planPlacement([vm(1)], nodes)[0]?.reason).toBe("No node can take it (down: n1; blocked: n2).");
  });

  test("lists each candidate with why it can't", () => {
    const home = { nodeId: asId<NodeId>(1), nodeName: "n1", sharedId: null };
    const [placement] = planPlacement(
      [vm(1, { home, memoryMb: 2_000 })],
      [
        node(1, { isUp: false, isLost: true }),
        node(2, { drain: "move" }),
        node(3),
        node(4, { isBlocked: true }),
        node(5, { sharedId: "nfs" }),
      ],
    );
    expect(placement).toMatchObject({
      nodeId: undefined,
      reason:
        "No node can take it (lost: n1; being drained: n2; without the storage on which its home lies (that of n1): n3, n5; blocked: n4).",
      candidates: [
        { node: "n1", reason: "it is lost: its lease has lapsed" },
        { node: "n2", reason: "it is being drained" },
        { node: "n3", reason: "its home lies on n1, whose storage is not shared" },
        { node: "n4", reason: "it is blocked" },
        { node: "n5", reason: "its home lies on n1, whose storage is not shared" },
      ],
    });
  });

  test("names a few of many nodes and counts the rest", () => {
    const nodes = Array.from({ length: 2_000 }, (_, index) => node(index + 1, { isUp: false }));
    expect(planPlacement([vm(1)], nodes)[0]?.reason).toBe(
      "No node can take it (down: n1, n2, n3, n4, n5 and 1995 more).",
    );
  });

  test("spreads equal desktops evenly over equal nodes", () => {
    const nodes = [node(1), node(2), node(3)];
    const counts = Map.groupBy(
      chosen(
        Array.from({ length: 30 }, (_, index) => vm(index + 1)),
        nodes,
      ),
      (id) => id,
    );
    expect([...counts.values()].map((ids) => ids.length)).toEqual([10, 10, 10]);
  });
});
