/** Which image a box unpacks next, before anybody starts a desktop from it. Pure. */

import { backoffMs } from "../../lib/backoff.ts";
import type { DiId } from "../ids.ts";

export type UnpackTry = {
  readonly failures: number;
  readonly failedAtMs: number;
  readonly fault: { readonly code: string; readonly text: string };
};

export type UnpackPlan = {
  readonly next: DiId | undefined;
  /** When a failed one may be tried again, if that is all there is to do. */
  readonly wakeAtMs: number | undefined;
};

/** Room may come back any minute; what is wrong otherwise seldom mends itself, and a try costs the box seconds. */
const FULL_BACKOFF = { firstMs: 5_000, mostMs: 5 * 60_000 };
const FAULT_BACKOFF = { firstMs: 60_000, mostMs: 60 * 60_000 };

/** `packed` are the ready images of this box without a base tree, in the order of their turn. */
export function planUnpacking(
  packed: readonly DiId[],
  tries: ReadonlyMap<DiId, UnpackTry>,
  nowMs: number,
): UnpackPlan {
  const due = packed.map((diId) => ({ diId, atMs: dueAtMs(tries.get(diId)) }));
  const next = due.find(({ atMs }) => atMs <= nowMs)?.diId;
  if (next !== undefined || due.length === 0) return { next, wakeAtMs: undefined };
  return { next, wakeAtMs: Math.min(...due.map(({ atMs }) => atMs)) };
}

function dueAtMs(last: UnpackTry | undefined): number {
  if (last === undefined) return 0;
  const backoff = last.fault.code === "storage-full" ? FULL_BACKOFF : FAULT_BACKOFF;
  return last.failedAtMs + backoffMs(last.failures, backoff);
}
