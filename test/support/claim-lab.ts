import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { isProcessRunning, readProcessIdentity } from "../../src/lib/process.ts";
import { waitFor } from "../../src/lib/wait.ts";

/** As long as the shorter ones of such runs take. */
const OTHER_RUN_MS = 300_000;

/**
 * Waits until no other process that lives has the lab of this name, and has it from then on, until it is released or
 * this process ends: what a run clears away first would be another's that goes on.
 */
export async function claimLab(name: string, timeoutMs = OTHER_RUN_MS): Promise<void> {
  const file = ownerFile(name);
  const isFree = () => {
    const owner = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
    return owner === undefined || owner.pid === process.pid || !isProcessRunning(owner);
  };
  if (!(await waitFor(isFree, { timeoutMs, everyMs: 500 })))
    throw new Error(`another run has the lab ${name}: ${readFileSync(file, "utf8")}`);
  // Whole at once: another may be reading it.
  const own = `${file}.${process.pid}`;
  writeFileSync(own, JSON.stringify(readProcessIdentity(process.pid)));
  renameSync(own, file);
}

export function releaseLab(name: string): void {
  rmSync(ownerFile(name), { force: true });
}

function ownerFile(name: string): string {
  return `/var/tmp/qvd-${name}.owner`;
}
