/** Looks into a running desktop from its host, past the session: what was typed must have happened there. */

import { readFileSync } from "node:fs";
import { findCgroupRoot, listCgroupPids } from "../../../src/lib/process.ts";

export type GuestView = {
  /** The file as the desktop's own processes see it; undefined while there is none. */
  read(path: string): string | undefined;
  /** Pids, as the host counts, of the desktop's processes of that name. */
  findProcesses(name: string): readonly number[];
};

export function openGuestView(instance: string, vmId: number): GuestView {
  const group = `${findCgroupRoot()}/${instance}/c/${vmId}`;
  return {
    read(path) {
      const [pid] = listCgroupPids(group);
      return pid === undefined ? undefined : readIfThere(`/proc/${pid}/root${path}`);
    },
    findProcesses: (name) =>
      listCgroupPids(group).filter((pid) => readIfThere(`/proc/${pid}/comm`)?.trim() === name),
  };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Not there yet, or its process has just ended; the caller waits with a deadline.
    return undefined;
  }
}
