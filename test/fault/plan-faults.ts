/** What goes wrong when, in a fault run: drawn from a seed, so that a run can be repeated. Pure. */

import { createRandom } from "../support/random.ts";

export const NODE_FAULTS = [
  "cut-database",
  "cut-storage",
  "cut-both",
  "kill-node",
  "kill-keeper",
  "kill-both",
  "stop-node",
  "stop-keeper",
  "stop-both",
  "freeze-box",
  "power-off",
] as const;
export const DATABASE_FAULTS = ["database-restart", "database-crash"] as const;
export type FaultKind = (typeof NODE_FAULTS)[number] | (typeof DATABASE_FAULTS)[number];

export type Fault = {
  readonly kind: FaultKind;
  /** Index of the node; undefined for the database. */
  readonly node: number | undefined;
  readonly atMs: number;
  readonly untilMs: number;
};

export type FaultPlanOptions = {
  readonly seed: number;
  readonly durationMs: number;
  readonly nodes: number;
  /** How long the right to run holds: faults are drawn shorter and longer than that. */
  readonly leaseMs: number;
};

/** In the order of their beginnings. At most one on a thing at a time, so that each can be undone by itself. */
export function planFaults(options: FaultPlanOptions): readonly Fault[] {
  const { durationMs, nodes, leaseMs } = options;
  const random = createRandom(options.seed);
  const between = (least: number, most: number) => least + random() * (most - least);
  const faults: Fault[] = [];
  const draw = (kinds: readonly FaultKind[], node: number | undefined, pauseMs: number) => {
    for (let atMs = between(0, pauseMs); ; ) {
      const untilMs = atMs + between(leaseMs * 0.1, leaseMs * (random() < 0.5 ? 1 : 2.5));
      if (untilMs > durationMs) return;
      const kind = kinds[Math.floor(random() * kinds.length)];
      if (kind !== undefined) faults.push({ kind, node, atMs, untilMs });
      atMs = untilMs + between(leaseMs * 0.2, pauseMs);
    }
  };
  for (let node = 0; node < nodes; node++) draw(NODE_FAULTS, node, leaseMs * 2.5);
  draw(DATABASE_FAULTS, undefined, leaseMs * 8);
  return faults.toSorted((one, other) => one.atMs - other.atMs);
}
