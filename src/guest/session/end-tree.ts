/** Ends a process with all that came of it. It is no group of its own: what init starts without a terminal is in init's. */

import { waitFor } from "../../lib/wait.ts";
import { isAlive, listProcesses, type ProcessMark, signalProcess } from "./processes.ts";

/** `stuck`: the kernel keeps one of them in a call, and lets it go no further. */
export type TreeEnd = "SIGTERM" | "SIGKILL" | "stuck";

/** Asked first, and after `graceMs` no more; as long again for the kernel to have done it. */
export async function endTree(pid: number, graceMs: number): Promise<TreeEnd> {
  // Those whose parent ends first become init's, and are known no more by their descent.
  const known = new Map<number, ProcessMark>();
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    for (const mark of listTree(pid)) known.set(mark.pid, mark);
    for (const mark of known.values()) signalProcess(mark, signal);
    const isOver = () => [...known.values()].every((mark) => !isAlive(mark));
    if (await waitFor(isOver, { timeoutMs: graceMs, everyMs: 10 })) return signal;
  }
  return "stuck";
}

function listTree(pid: number): readonly ProcessMark[] {
  const all = listProcesses();
  const tree = all.filter((one) => one.pid === pid);
  for (let at = 0; at < tree.length; at++) tree.push(...all.filter(({ parent }) => parent === tree[at]?.pid));
  return tree;
}
