import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { asId, type VmId } from "../../domain/ids.ts";
import type { CgroupTree } from "./cgroup-tree.ts";
import { limitSwap } from "./limit-swap.ts";

const VM = asId<VmId>(41);
let mountPoint: string;
beforeEach(async () => {
  mountPoint = await mkdtemp(`${tmpdir()}/qvd-swap-`);
});
afterEach(() => rm(mountPoint, { recursive: true }));

/** Hierarchies with these files of the desktop's group. */
async function makeTree(files: Readonly<Record<string, readonly string[]>>): Promise<CgroupTree> {
  const roots = Object.keys(files).map((name) => `${mountPoint}/${name}`);
  for (const [name, list] of Object.entries(files)) {
    await mkdir(`${mountPoint}/${name}/qvd/c/41`, { recursive: true });
    for (const file of list) await writeFile(`${mountPoint}/${name}/qvd/c/41/${file}`, "");
  }
  return { instance: "qvd", unified: `${mountPoint}/unified`, roots };
}

const read = (path: string) => readFile(`${mountPoint}/${path}`, "utf8");

test("the old layout bounds memory and swap together", async () => {
  const tree = await makeTree({ memory: ["memory.memsw.limit_in_bytes"], unified: [] });
  await limitSwap(tree, VM, 128);
  expect(await read("memory/qvd/c/41/memory.memsw.limit_in_bytes")).toBe("134217728\n");
});

test("the new layout gives no swap", async () => {
  await limitSwap(await makeTree({ unified: ["memory.swap.max"] }), VM, 128);
  expect(await read("unified/qvd/c/41/memory.swap.max")).toBe("0\n");
});

test("a kernel that doesn't count swap is left as it is", async () => {
  await limitSwap(await makeTree({ memory: [], unified: [] }), VM, 128);
  expect(existsSync(`${mountPoint}/memory/qvd/c/41/memory.memsw.limit_in_bytes`)).toBe(false);
});

test("a limit that the kernel refuses fails the start", async () => {
  const tree = await makeTree({ memory: [] });
  await mkdir(`${mountPoint}/memory/qvd/c/41/memory.swap.max`);
  await expect(limitSwap(tree, VM, 128)).rejects.toThrow(/desktop 41.*memory\.swap\.max/);
});
