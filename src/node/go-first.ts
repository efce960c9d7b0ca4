/**
 * Puts a worker that carries people's sessions, or the box's right to run them, before all else on the machine. By its
 * weight and not by a real-time class: what it doesn't use is everybody's, and one that runs wild can't stop the box. A
 * broker can be made to by strangers, so it has no more than a tenfold weight: PostgreSQL beside it must go on renewing the
 * lease, and more makes none of its waits shorter.
 */

import { writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { AppError } from "../lib/errors.ts";

/** For whose sake a worker goes first. */
export type Precedence = "lease" | "sessions";

/**
 * An ordinary group weighs 100, and 10000 is the most. The nice value gives the same to the kernel's own group of a
 * session of processes, where no control group holds the processors.
 */
const STANDING = {
  lease: { weight: "10000", nice: "-20" },
  sessions: { weight: "1000", nice: "-10" },
} as const satisfies Record<Precedence, unknown>;

export type FirstWorker = {
  readonly pid: number;
  readonly cgroupFolder: string;
  readonly goesFirst: Precedence;
};

/** May be called again. Nothing to do where the kernel knows neither kind of group, or for one that has ended. */
export function goFirst({ pid, cgroupFolder, goesFirst }: FirstWorker, processes = "/proc"): void {
  const { weight, nice } = STANDING[goesFirst];
  put(`${dirname(cgroupFolder)}/cgroup.subtree_control`, "+cpu");
  put(`${cgroupFolder}/cpu.weight`, weight);
  put(`${processes}/${pid}/autogroup`, nice);
}

function put(path: string, value: string): void {
  try {
    // Without O_CREAT: what isn't there is not to be made.
    writeFileSync(path, value, { flag: "r+" });
  } catch (cause) {
    const code = cause instanceof Error ? Reflect.get(cause, "code") : undefined;
    if (code === "ENOENT" || code === "ENODEV" || code === "ESRCH") return;
    throw new AppError("driver-failed", `putting a worker first: the kernel refused ${path}`, { cause });
  }
}
