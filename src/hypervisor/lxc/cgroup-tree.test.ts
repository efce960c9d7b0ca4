import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { asId, type VmId } from "../../domain/ids.ts";
import { CGROUP_PARTS, type CgroupTree, findGroups, rootsOf } from "./cgroup-tree.ts";

const tree = (unified: string, others: readonly string[]): CgroupTree => ({
  instance: "one",
  unified,
  roots: [...others, unified, `${unified}/user.slice`],
});

describe("where a controller may be", () => {
  const memory = (unified: string, others: readonly string[]) => rootsOf(tree(unified, others), "memory");

  test("is the hierarchy of its name, and the unified one", () => {
    expect(memory("/cg/unified", ["/cg/cpu,cpuacct", "/cg/memory", "/cg/memory/sub"])).toEqual([
      "/cg/memory",
      "/cg/memory/sub",
      "/cg/unified",
      "/cg/unified/user.slice",
    ]);
  });

  test("is one that it shares with others", () => {
    expect(rootsOf(tree("/cg/unified", ["/cg/cpu,cpuacct", "/cg/pids"]), "cpuacct")[0]).toBe(
      "/cg/cpu,cpuacct",
    );
  });

  test("is the unified hierarchy where there is no other", () => {
    expect(memory("/cg", [])).toEqual(["/cg", "/cg/user.slice"]);
  });

  test("is any, where none has its name", () => {
    expect(memory("/cg/unified", ["/cg/first", "/cg/second"])).toHaveLength(4);
  });
});

describe("the groups of one desktop", () => {
  const folder = mkdtempSync(`${tmpdir()}/qvd-cgroup-tree-`);
  afterAll(() => rmSync(folder, { recursive: true }));

  test("are found in all hierarchies, and nobody else's with them", () => {
    const roots = [`${folder}/memory`, `${folder}/unified`];
    const made = [`${roots[0]}/one/c/7`, `${roots[1]}/one/m/7`];
    for (const path of [...made, `${roots[0]}/one/c/8`, `${roots[1]}/two/c/7`])
      mkdirSync(path, { recursive: true });
    const groups = { instance: "one", unified: `${folder}/unified`, roots };
    expect(findGroups(groups, CGROUP_PARTS, asId<VmId>(7))).toEqual(made);
    expect(findGroups(groups, CGROUP_PARTS, asId<VmId>(9))).toEqual([]);
  });
});
