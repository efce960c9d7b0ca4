import { copyFileSync, statSync, truncateSync } from "node:fs";

/**
 * Keeps a log from filling the disk that the database is on: one over `mostBytes` is put aside as `.1`, in the
 * place of the one before, and begins anew. For files whose writers append (O_APPEND): they notice nothing.
 * A line written in the very moment may be lost. True when the log began anew.
 */
export function boundLog(path: string, mostBytes: number): boolean {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= mostBytes) return false;
  try {
    copyFileSync(path, `${path}.1`);
  } finally {
    // Also where there is no room for a copy: then least of all may it grow.
    truncateSync(path);
  }
  return true;
}
