import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asId, type NodeId, type VmId } from "../domain/ids.ts";
import { type PlacementNode, planPlacement } from "../domain/node/placement.ts";
import { createLog } from "../lib/log.ts";
import { loadPlacementPolicy } from "./load-placement-policy.ts";

const vm = { vmId: asId<VmId>(1), memoryMb: 1_000, cpus: 1 };
const own = process.getuid?.() ?? 0;

function node(id: number, name: string): PlacementNode {
  const size = { memoryMb: 16_000, cpus: 8, promisedMemoryMb: 0, promisedCpus: 0 };
  return { nodeId: asId<NodeId>(id), name, isBlocked: false, isUp: true, ...size };
}

describe("a policy of placement that the site brings", () => {
  let folder = "";
  let lines: string[] = [];
  const log = createLog({ level: "info", write: (line) => lines.push(line), now: () => new Date(0) });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "policy-"));
    lines = [];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function write(text: string, name = "policy.ts"): string {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o644 });
    return file;
  }

  const load = (file: string) => loadPlacementPolicy(file, log, own);
  const choose = async (file: string) =>
    planPlacement([vm], [node(1, "cellar"), node(2, "attic")], { policy: await load(file) })[0];

  test("chooses by its own score", async () => {
    const file = write(
      `export function score(node: { name: string }) { return node.name === "attic" ? 2 : 1; }`,
    );
    expect(await choose(file)).toEqual({
      vmId: vm.vmId,
      nodeId: asId<NodeId>(2),
      reason: `attic has the best score by ${file}`,
    });
    expect(lines).toEqual([]);
  });

  for (const [what, body] of [
    ["throws", `throw new Error("no idea of " + node.name)`],
    ["gives no number", `return "much"`],
    ["gives what can't be compared", `return Number.NaN`],
  ] as const)
    test(`places the desktop all the same, on another node, where it ${what}`, async () => {
      const text = `export const score = (node) => { if (node.name === "cellar") return -5; ${body}; };`;
      expect((await choose(write(text, "policy.js")))?.nodeId).toBe(asId<NodeId>(1));
      expect(lines.map((line) => JSON.parse(line).event)).toEqual(["placement-policy-failed"]);
    });

  test("may not change what the plan goes by", async () => {
    const file = write(`export const score = (node) => { node.memoryMb = 0; return 1; };`, "policy.mjs");
    expect((await choose(file))?.nodeId).toBe(asId<NodeId>(1));
    expect(lines[0]).toContain("placement-policy-failed");
  });

  test("is refused where it isn't there, has no score, or doesn't parse", async () => {
    await expect(load(join(folder, "none.js"))).rejects.toThrow(/none\.js: ENOENT/);
    await expect(load(write("export const rank = 1;", "rank.js"))).rejects.toThrow(/no function named score/);
    await expect(load(write("export function score( {", "broken.js"))).rejects.toThrow(/broken\.js: /);
  });

  test("is refused where others may write to it, or it is another's", async () => {
    const file = write("export const score = () => 1;", "shared.js");
    chmodSync(file, 0o664);
    await expect(load(file)).rejects.toThrow(/writable by its owner alone/);
    chmodSync(file, 0o644);
    await expect(loadPlacementPolicy(file, log, own + 1)).rejects.toThrow(/its owner be user/);
  });
});
