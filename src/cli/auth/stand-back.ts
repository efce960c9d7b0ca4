/** A password costs 20 ms and more of a processor; the bytes of everybody's sessions go before it. */

import { writeFileSync } from "node:fs";
import { setPriority } from "node:os";

const NICE = 10;

/**
 * For the whole process, before it begins. A kernel that groups processes by session weighs the groups first, and then
 * a process's own priority means nothing beside the brokers'.
 */
export function standBack(file = "/proc/self/autogroup"): void {
  setPriority(NICE);
  try {
    writeFileSync(file, `${NICE}`, { flag: "r+" });
  } catch {
    // The kernel doesn't group, or the process is in a control group with processors of its own: then nice is enough.
  }
}
