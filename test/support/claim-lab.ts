import { existsSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { isProcessRunning, type ProcessIdentity, readProcessIdentity } from "../../src/lib/process.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { withFileLock } from "../../src/storage/file-lock.ts";
import { openLibc } from "../../src/storage/libc.ts";

/** As long as the shorter ones of such runs take. */
const OTHER_RUN_MS = 300_000;
/** Less than the file of tests gives to the making of its lab, so that whoever has it is named. */
export const SHORT_CLAIM_MS = 45_000;
/** Two that found a lab free at once would both have it. Stays, as a lock that is taken away excludes nobody. */
const LOCK = "/tmp/qvd-labs.lock";
const LOCK_MS = 10_000;

/**
 * Waits until no other process that lives has the lab of this name, and has it from then on, until it is released or
 * this process ends: what a run clears away first would be another's that goes on.
 */
export async function claimLab(name: string, timeoutMs = OTHER_RUN_MS): Promise<void> {
  const options = { path: LOCK, timeoutMs: LOCK_MS, signal: new AbortController().signal };
  const libc = openLibc();
  const tryClaim = () => withFileLock(libc, options, async () => claimFree(ownerFile(name)));
  if (!(await waitFor(tryClaim, { timeoutMs, everyMs: 500 })))
    throw new Error(`another run has the lab ${name}: ${describe(readOwner(ownerFile(name)))}`);
}

/** Only what this process has. */
export function releaseLab(name: string): void {
  if (readOwner(ownerFile(name))?.pid === process.pid) rmSync(ownerFile(name), { force: true });
}

function claimFree(file: string): boolean {
  const owner = readOwner(file);
  if (owner?.pid !== process.pid && owner !== undefined && isProcessRunning(owner)) return false;
  // Whole at once: another may be reading it.
  const own = `${file}.${process.pid}`;
  writeFileSync(own, JSON.stringify(readProcessIdentity(process.pid)));
  renameSync(own, file);
  return true;
}

function readOwner(file: string): ProcessIdentity | undefined {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

function describe(owner: ProcessIdentity | undefined): string {
  if (owner === undefined) return "it has just let go of it";
  try {
    const command = readFileSync(`/proc/${owner.pid}/cmdline`, "utf8").split("\0").join(" ").trim();
    return `process ${owner.pid} in ${readlinkSync(`/proc/${owner.pid}/cwd`)}: ${command}`;
  } catch {
    return `process ${owner.pid}, which has just ended`;
  }
}

function ownerFile(name: string): string {
  return `/var/tmp/qvd-${name}.owner`;
}
