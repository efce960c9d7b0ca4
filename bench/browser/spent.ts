/** What programs have spent of the processors between two looks at their processes. */

import { listProcesses, readCpuSeconds } from "../processes.ts";

/** Of one process, with those of its children that have ended. */
export type Use = { readonly program: string; readonly parentPid: number; readonly seconds: number };

export type Uses = ReadonlyMap<number, Use>;

export function readUses(pids: readonly number[]): Uses {
  const wanted = new Set(pids);
  const uses = new Map<number, Use>();
  for (const { pid, parentPid, command } of listProcesses()) {
    const seconds = wanted.has(pid) ? cpuOf(pid) : undefined;
    if (seconds !== undefined) uses.set(pid, { program: nameProgram(command), parentPid, seconds });
  }
  return uses;
}

/**
 * Pure: seconds of each program. One that has begun meanwhile has done all of its work here. One that has ended is among what
 * its parent has spent, with its whole life: what it had spent before is taken off there.
 */
export function spentBetween(before: Uses, after: Uses): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  const add = (program: string, seconds: number) => sums.set(program, (sums.get(program) ?? 0) + seconds);
  for (const [pid, { program, seconds }] of after) add(program, seconds - (before.get(pid)?.seconds ?? 0));
  for (const [pid, { parentPid, seconds }] of before) {
    const parent = after.has(pid) ? undefined : after.get(parentPid);
    if (parent !== undefined) add(parent.program, -seconds);
  }
  return new Map([...sums].map(([program, seconds]) => [program, Math.max(0, seconds)]));
}

/** As its file is called; ours by the words that say which of its parts it is. */
export function nameProgram([program = "", ...words]: readonly string[]): string {
  const name = program.split(" ")[0]?.split("/").at(-1)?.replace(/:$/, "") || "others";
  const said = words.filter((word) => /^[a-z-]+$/.test(word) && !word.startsWith("-"));
  return name === "qvd" || name === "agent" ? ["qvd", ...said.slice(0, 2)].join(" ") : name;
}

function cpuOf(pid: number): number | undefined {
  try {
    return readCpuSeconds(pid);
  } catch {
    // It ended meanwhile.
    return undefined;
  }
}
