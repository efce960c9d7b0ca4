/**
 * Puts a worker that carries people's sessions, or the box's right to run them, before all else on the machine. By its
 * weight and not by a real-time class: what it doesn't use is everybody's, and one that runs wild can't stop the box.
 */

import { writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { AppError } from "../lib/errors.ts";

/** The most that a group can weigh; an ordinary one weighs 100. */
const FIRST_WEIGHT = "10000";
/** The same for the kernel's own group of a session of processes, where no control group holds the processors. */
const FIRST_NICE = "-20";

/** May be called again. Nothing to do where the kernel knows neither kind of group, or for one that has ended. */
export function goFirst(pid: number, cgroupFolder: string, processes = "/proc"): void {
  put(`${dirname(cgroupFolder)}/cgroup.subtree_control`, "+cpu");
  put(`${cgroupFolder}/cpu.weight`, FIRST_WEIGHT);
  put(`${processes}/${pid}/autogroup`, FIRST_NICE);
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
