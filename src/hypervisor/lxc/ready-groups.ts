/**
 * The first process in a while that changes its control group waits 8 to 16 ms: the kernel waits until each processor knows
 * that forks have a lock to heed from now on (cgroup_threadgroup_rwsem, an RCU grace period). Whoever follows within some
 * hundredths of a second finds that done. So when a start is coming, the node enters the group that it is in already, which
 * changes nothing, and waits beside the start's other work; lxc-start, which enters a dozen groups, doesn't wait any more.
 */

import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";

/** The kernel remembers at least so long. */
const LASTS_MS = 20;

export type ReadyGroupsDeps = {
  /** Root of the version 2 hierarchy. */
  readonly unified: string;
  /** Text of /proc/self/cgroup. */
  readonly readOwnGroups?: () => string;
  readonly nowMs?: () => number;
};

/** Returns what to call when a start is coming, as often as one likes: it costs nothing while the last time still lasts. Never rejects. */
export function createGroupReadier({
  unified,
  readOwnGroups = () => readFileSync("/proc/self/cgroup", "utf8"),
  nowMs = () => performance.now(),
}: ReadyGroupsDeps): () => Promise<void> {
  let readyAtMs = Number.NEGATIVE_INFINITY;
  let isBusy = false;
  return async () => {
    if (isBusy || nowMs() - readyAtMs < LASTS_MS) return;
    const own = /^0::(\/.*)$/m.exec(tryRead(readOwnGroups))?.[1];
    if (own === undefined) return;
    isBusy = true;
    // In a thread, since the write is what waits. Where it is refused, the start waits as it would have.
    await writeFile(`${unified}${own === "/" ? "" : own}/cgroup.procs`, `${process.pid}\n`).catch(() => {});
    isBusy = false;
    readyAtMs = nowMs();
  };
}

function tryRead(read: () => string): string {
  try {
    return read();
  } catch {
    // Such as no file may be opened any more: the start tells of that itself, and nobody waits for this.
    return "";
  }
}
