/** Processes as /proc shows them. A pid alone proves nothing: pids come again, so the start time goes with it. */

import { readdirSync, readFileSync, statSync } from "node:fs";

/** The kernel's USER_HZ is 100 wherever we run. */
const TICK_MS = 10;

export type ProcessMark = { readonly pid: number; readonly startTicks: number };

export type ProcessInfo = ProcessMark & {
  readonly name: string;
  readonly parent: number;
  /** Id of its session (setsid). */
  readonly session: number;
  readonly uid: number;
  readonly isZombie: boolean;
};

/** Undefined when there is no such process. */
export function readProcess(pid: number): ProcessInfo | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name may hold spaces and parentheses, so the fields are counted from the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return {
      pid,
      name: stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")")),
      isZombie: fields[0] === "Z" || fields[0] === "X",
      parent: Number(fields[1]),
      session: Number(fields[3]),
      startTicks: Number(fields[19]),
      uid: statSync(`/proc/${pid}`).uid,
    };
  } catch {
    // Gone between two looks: the same as never there.
    return undefined;
  }
}

export function isAlive(mark: ProcessMark): boolean {
  const found = readProcess(mark.pid);
  return found !== undefined && found.startTicks === mark.startTicks && !found.isZombie;
}

/** Told by our own start: what a container reads of the time since the boot may be its own. */
export function ageMsOf(mark: ProcessMark): number {
  const own = readProcess(process.pid)?.startTicks ?? 0;
  return process.uptime() * 1_000 + (own - mark.startTicks) * TICK_MS;
}

export function listProcesses(): ProcessInfo[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((found) => found !== undefined);
}

/** Sends a signal to just that process; false when it is gone. */
export function signalProcess(mark: ProcessMark, signal: "SIGHUP" | "SIGTERM" | "SIGKILL"): boolean {
  if (!isAlive(mark)) return false;
  try {
    process.kill(mark.pid, signal);
    return true;
  } catch {
    // It ended between the look and the signal.
    return false;
  }
}
