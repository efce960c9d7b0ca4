/**
 * Processes that outlive us: started in a session and a control group of their own with their output in a
 * file, and found again after our restart by pid and start time, since a pid alone may be another's by then.
 */

import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { AppError } from "./errors.ts";
import { CLEAN_ENV } from "./run.ts";
import { waitFor } from "./wait.ts";

/** `startTicks` is the kernel's, in clock ticks since boot. */
export type ProcessIdentity = { readonly pid: number; readonly startTicks: number };

export type DetachedOptions = {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Appended to. */
  readonly logFile: string;
  /** Folder of a control group, made when missing; undefined leaves the process in ours. */
  readonly cgroupFolder?: string;
  /** Called when it ends while we still are its parent. */
  readonly onExit?: () => void;
};

/** Starts a program that goes on when we end. Its working folder is `/`, its environment clean. */
export function spawnDetached(options: DetachedOptions): ProcessIdentity {
  const { command, cgroupFolder } = options;
  if (cgroupFolder !== undefined) mkdirSync(cgroupFolder, { recursive: true });
  // The shell enters the group before it becomes the program, so that nothing of it is ever outside.
  const entering =
    cgroupFolder === undefined
      ? [...command]
      : ["/bin/sh", "-c", 'echo 0 > "$0/cgroup.procs" && exec "$@"', cgroupFolder, ...command];
  const log = openSync(options.logFile, "a", 0o640);
  try {
    const child = Bun.spawn(entering, {
      cwd: "/",
      env: { ...CLEAN_ENV, ...options.env },
      stdin: "ignore",
      stdout: log,
      stderr: log,
      detached: true,
      onExit: () => options.onExit?.(),
    });
    child.unref();
    const identity = readProcessIdentity(child.pid);
    if (identity !== undefined) return identity;
    throw new AppError("driver-failed", `starting ${command[0]}: it ended at once; see ${options.logFile}`);
  } finally {
    closeSync(log);
  }
}

/** Undefined when there is no such process, or only what is left of one that has ended. */
export function readProcessIdentity(pid: number): ProcessIdentity | undefined {
  const stat = readProcFile(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name stands in brackets and may hold anything, brackets and blanks too.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const startTicks = Number(fields[19]);
  const isOver = fields[0] === "Z" || fields[0] === "X";
  return isOver || !Number.isSafeInteger(startTicks) ? undefined : { pid, startTicks };
}

export function isProcessRunning(identity: ProcessIdentity): boolean {
  return readProcessIdentity(identity.pid)?.startTicks === identity.startTicks;
}

/** Does nothing when the process has ended. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isProcessRunning(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if (!isNoSuchProcess(error)) throw error;
  }
}

/** TERM, and KILL to what is still there after `graceMs`; true when it is gone. */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<boolean> {
  const isGone = () => !isProcessRunning(identity);
  signalProcess(identity, "SIGTERM");
  if (await waitFor(isGone, { timeoutMs: graceMs })) return true;
  signalProcess(identity, "SIGKILL");
  return (await waitFor(isGone, { timeoutMs: 5_000 })) === true;
}

/** Pids in a control group and all below it; empty when there is no such group. */
export function listCgroupPids(folder: string): readonly number[] {
  const own = readProcFile(`${folder}/cgroup.procs`)?.split("\n").filter(Boolean).map(Number) ?? [];
  return [...own, ...childFolders(folder).flatMap((child) => listCgroupPids(child))];
}

/** Kills whatever is left in a control group, then removes it with all below it. True when it is gone. */
export async function removeCgroup(folder: string, timeoutMs: number): Promise<boolean> {
  for (const pid of listCgroupPids(folder)) {
    const identity = readProcessIdentity(pid);
    if (identity !== undefined) signalProcess(identity, "SIGKILL");
  }
  return (await waitFor(() => removeTree(folder), { timeoutMs })) === true;
}

function removeTree(folder: string): boolean {
  for (const child of childFolders(folder)) removeTree(child);
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    // Busy for some milliseconds after its last process; gone is what we want.
    return errorCode(error) === "ENOENT";
  }
}

function childFolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `${folder}/${entry.name}`);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

function readProcFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    // ESRCH: the process ended between opening and reading.
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ESRCH") return undefined;
    throw error;
  }
}

function isNoSuchProcess(error: unknown): boolean {
  return errorCode(error) === "ESRCH";
}

function errorCode(error: unknown): unknown {
  return error instanceof Error ? Reflect.get(error, "code") : undefined;
}

/** Folder of the version 2 control group hierarchy on this machine, which may be beside version 1's. */
export function findCgroupRoot(mountInfo: string = readFileSync("/proc/self/mountinfo", "utf8")): string {
  for (const line of mountInfo.split("\n")) {
    const [left, right] = line.split(" - ");
    if (right?.startsWith("cgroup2 ")) return left?.split(" ")[4] ?? "";
  }
  throw new AppError(
    "driver-failed",
    "finding control groups: no cgroup2 hierarchy is mounted on this machine",
  );
}
