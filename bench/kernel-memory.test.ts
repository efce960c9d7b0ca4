import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { enterGroup, findMemoryRoot, isAccounted, parseKernelBytes, readChargeMb } from "./kernel-memory.ts";

const STAT = "anon 4096000\nfile 8192\nkernel 3000000\nkernel_stack 100000\nsock 500000\nslab 9\n";

function inFolder(test: (folder: string) => void) {
  const folder = mkdtempSync(`${tmpdir()}/qvd-kernel-memory-`);
  try {
    test(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("counts all kernel memory of a group of version 2 and its sockets' buffers, and nothing twice", () => {
  expect(parseKernelBytes(STAT)).toBe(3_500_000);
});

test("reads the charge of either version", () => {
  inFolder((folder) => {
    expect(isAccounted(folder)).toBe(false);
    writeFileSync(`${folder}/memory.stat`, STAT);
    expect(isAccounted(folder)).toBe(true);
    expect(readChargeMb(folder)).toBe(3.5);
    writeFileSync(`${folder}/memory.kmem.usage_in_bytes`, "7000000\n");
    expect(readChargeMb(folder)).toBe(7);
  });
});

test("prefers a hierarchy of its own for memory", () => {
  inFolder((folder) => {
    expect(findMemoryRoot(folder)).toEqual({ folder, version: 2 });
    mkdirSync(`${folder}/memory`);
    writeFileSync(`${folder}/memory/memory.kmem.usage_in_bytes`, "1\n");
    expect(findMemoryRoot(folder)).toEqual({ folder: `${folder}/memory`, version: 1 });
  });
});

test("starts a program in the group before it does anything", () => {
  inFolder((folder) => {
    const [program = "", ...words] = [...enterGroup(folder), "cat", `${folder}/cgroup.procs`];
    const { stdout } = Bun.spawnSync([program, ...words]);
    expect(stdout.toString()).toBe("0\n");
    expect(readFileSync(`${folder}/cgroup.procs`, "utf8")).toBe("0\n");
  });
});
