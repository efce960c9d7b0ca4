import { describe, expect, test } from "bun:test";
import { listProcesses, parseCpuSeconds, parseSmaps, readCpuSeconds, readMemory } from "./processes.ts";

const SMAPS = `00400000-00500000 r-xp 00000000 08:01 1234   /opt/qvd/qvd
Rss:                2000 kB
Shared_Clean:       1000 kB
Private_Clean:       900 kB
Private_Dirty:       100 kB
7f0000000000-7f0000100000 rw-p 00000000 00:00 0
Rss:                 512 kB
Private_Clean:        12 kB
Private_Dirty:       500 kB
`;

describe("memory", () => {
  test("tells what only the process has from what the page cache holds", () => {
    const use = parseSmaps(SMAPS);
    expect(use.residentMb).toBeCloseTo(2512 * 1.024e-3, 5);
    expect(use.privateMb).toBeCloseTo(1512 * 1.024e-3, 5);
    expect(use.privateAnonymousMb).toBeCloseTo(612 * 1.024e-3, 5);
  });

  test("of this process is what the kernel says", () => {
    const use = readMemory(process.pid);
    expect(use.residentMb).toBeGreaterThan(use.privateMb);
    expect(use.privateMb).toBeGreaterThanOrEqual(use.privateAnonymousMb);
    expect(Math.abs(use.residentMb * 1e6 - process.memoryUsage.rss())).toBeLessThan(20e6);
  });
});

describe("CPU time", () => {
  test("counts threads and children past a name with blanks", () => {
    expect(parseCpuSeconds("7 (a) b) S 1 7 7 0 -1 0 0 0 0 0 100 50 25 25 20 0 1")).toBe(2);
  });

  test("of this process grows", () => {
    const before = readCpuSeconds(process.pid);
    const end = performance.now() + 60;
    while (performance.now() < end);
    expect(readCpuSeconds(process.pid)).toBeGreaterThan(before);
  });
});

test("the list of processes holds this one", () => {
  const own = listProcesses().find((found) => found.pid === process.pid);
  expect(own?.parentPid).toBe(process.ppid);
});
