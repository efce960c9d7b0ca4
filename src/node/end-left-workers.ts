/**
 * Workers outlive their node so that the next one finds them. Where no next one comes, for a box that is
 * stopped, they are ended from the process file: they would keep the brokers' port and answer for a box that
 * is gone.
 */

import { endProcess, isProcessRunning } from "../lib/process.ts";
import { readProcessFile, type WorkerEntry, writeProcessFile } from "./process-file.ts";

const END_GRACE_MS = 10_000;

/** Those that run, by pid and start time; none while their node lives, which would only start them again. */
export function listLeftWorkers(processFile: string): readonly WorkerEntry[] {
  const file = readProcessFile(processFile);
  if (file === undefined || (file.node && isProcessRunning(file.node))) return [];
  return file.workers.filter(isProcessRunning);
}

/** Returns those that it ended. The next node process finds none. */
export async function endLeftWorkers(processFile: string): Promise<readonly WorkerEntry[]> {
  const left = listLeftWorkers(processFile);
  await Promise.all(left.map((worker) => endProcess(worker, END_GRACE_MS)));
  const file = readProcessFile(processFile);
  if (file !== undefined && left.length > 0)
    writeProcessFile(processFile, { ...file, node: null, workers: file.workers.filter(isProcessRunning) });
  return left;
}
