/** What the kernel says of processes: memory from smaps, CPU time from stat. Linux's /proc only. */

import { readdirSync, readFileSync } from "node:fs";

export type MemoryUse = {
  /** Every page that is in memory, shared or not. */
  readonly residentMb: number;
  /** Pages of anonymous memory (heap, stack, pages copied on write) that only this process has. Nothing but its end frees them. */
  readonly privateAnonymousMb: number;
  /** The same with pages of files that no other process has mapped just now; those are page cache. */
  readonly privateMb: number;
};

const KB_PER_MB = 1000 / 1.024;

/** Sums a process's mappings. A mapping is anonymous when it has no inode. */
export function parseSmaps(text: string): MemoryUse {
  let residentKb = 0;
  let privateKb = 0;
  let anonymousKb = 0;
  let isAnonymous = false;
  for (const line of text.split("\n")) {
    const header = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ (\d+)/.exec(line);
    if (header !== null) {
      isAnonymous = header[1] === "0";
      continue;
    }
    const [, name, value] = /^(\w+):\s+(\d+) kB/.exec(line) ?? [];
    const kb = Number(value ?? 0);
    if (name === "Rss") residentKb += kb;
    if (name === "Private_Clean" || name === "Private_Dirty") privateKb += kb;
    // A private page of a file that was written to is anonymous memory too.
    if (name === "Private_Dirty" || (name === "Private_Clean" && isAnonymous)) anonymousKb += kb;
  }
  return {
    residentMb: residentKb / KB_PER_MB,
    privateAnonymousMb: anonymousKb / KB_PER_MB,
    privateMb: privateKb / KB_PER_MB,
  };
}

export function readMemory(pid: number): MemoryUse {
  return parseSmaps(readFileSync(`/proc/${pid}/smaps`, "utf8"));
}

/** Share of memory that falls to a process when pages are divided among all who have them. */
export function readProportionalMb(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) / KB_PER_MB;
}

const TICKS_PER_SECOND = 100;

/** CPU seconds of a process, its threads and the children that it has waited for. */
export function parseCpuSeconds(stat: string): number {
  // The name stands in parentheses and may hold blanks; the fields after it are counted from state = 3.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = [14, 15, 16, 17].map((field) => Number(fields[field - 3]));
  return ticks.reduce((sum, value) => sum + value, 0) / TICKS_PER_SECOND;
}

export function readCpuSeconds(pid: number): number {
  return parseCpuSeconds(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

export type RunningProcess = {
  readonly pid: number;
  readonly parentPid: number;
  readonly command: readonly string[];
};

/** All processes that this one can see; those that end meanwhile are left out. */
export function listProcesses(): RunningProcess[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").slice(0, -1);
        const parentPid = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, "utf8"))?.[1]);
        return [{ pid: Number(name), parentPid, command }];
      } catch {
        // It ended between the listing and the look.
        return [];
      }
    });
}
