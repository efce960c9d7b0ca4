/**
 * What the keeper tells the node process of its box, and its own successor: a small file in the run folder,
 * replaced several times a second. Its moments are by the clock that goes on while the machine sleeps, and mean
 * nothing after a restart of the machine.
 */

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { LeasePhase, Renewals } from "../../domain/node/decide-lease.ts";

/** Whose word a file is: of this start of the machine, and of this box rather than of one that was here before. */
export type KeeperOrigin = { readonly bootId: string; readonly boxId: string };

export type KeeperFile = KeeperOrigin & {
  readonly pid: number;
  readonly nodeId: number;
  readonly epoch: number;
  readonly phase: LeasePhase;
  readonly fences: boolean;
  readonly renewals: Renewals;
  readonly beatMs: number;
  /** In words, for people; empty when all is well. */
  readonly trouble: string;
};

export function keeperFile(runFolder: string): string {
  return `${runFolder}/keeper.json`;
}

export function writeKeeperFile(path: string, file: KeeperFile): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(file)}\n`, { mode: 0o644 });
  renameSync(`${path}.new`, path);
}

/**
 * Undefined when there is none of this origin: the run folder outlives a state folder that is removed, and in a
 * new database an epoch of the old one says that another box has taken over.
 */
export function readKeeperFile(path: string, { bootId, boxId }: KeeperOrigin): KeeperFile | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isKeeperFile(value) && value.bootId === bootId && value.boxId === boxId ? value : undefined;
  } catch {
    // Missing or cut: as if there were none.
    return undefined;
  }
}

/** We wrote it ourselves; this only tells apart what an older version wrote. */
function isKeeperFile(value: unknown): value is KeeperFile {
  if (typeof value !== "object" || value === null) return false;
  const is = (name: string, type: string) => typeof Reflect.get(value, name) === type;
  return (
    is("bootId", "string") &&
    is("boxId", "string") &&
    is("epoch", "number") &&
    is("beatMs", "number") &&
    is("renewals", "object")
  );
}

/** Which start of the machine this is. */
export function readBootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
