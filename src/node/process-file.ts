/**
 * The node's process file: who runs here, for `qvd node status`, and which workers it started, so that the
 * next node process finds them again. Replaced as a whole, so that nobody reads half of it.
 */

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { ProcessIdentity } from "../lib/process.ts";

export type WorkerEntry = ProcessIdentity & {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly restarts: number;
  /** What it was started with; an older version left it out. */
  readonly command?: readonly string[];
  /** Of its executable and settings; an earlier version left it out. */
  readonly fingerprint?: string | undefined;
  /** It carries what a restart would end, so it is replaced by a newer one and left to drain. */
  readonly drains?: boolean;
  /** It was told to take nobody new. */
  readonly isReplaced?: boolean;
};

export type ProcessFile = {
  readonly version: string;
  readonly node: ProcessIdentity | null;
  readonly nodeId: number;
  readonly nodeName: string;
  readonly startedAtMs: number;
  /** False from the machine's start until a node process has told which desktops went down with it; an older version left it out. */
  readonly hasLookedAround?: boolean;
  readonly workers: readonly WorkerEntry[];
};

export function writeProcessFile(path: string, file: ProcessFile): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o644 });
  renameSync(temporary, path);
}

/** Undefined when there is none, or one that an older version wrote differently: then nothing is found again. */
export function readProcessFile(path: string): ProcessFile | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isProcessFile(value) ? value : undefined;
  } catch {
    // Missing, or cut by a full disk: as if there were none.
    return undefined;
  }
}

function isProcessFile(value: unknown): value is ProcessFile {
  if (typeof value !== "object" || value === null || !("workers" in value)) return false;
  return Array.isArray(value.workers) && value.workers.every(isWorker);
}

function isWorker(value: unknown): value is WorkerEntry {
  if (typeof value !== "object" || value === null) return false;
  const field = (name: string): unknown => Reflect.get(value, name);
  return (
    typeof field("name") === "string" && ["pid", "startTicks"].every((name) => Number.isInteger(field(name)))
  );
}
