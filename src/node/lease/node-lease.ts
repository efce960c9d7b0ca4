/** The right to run desktops as the node process sees it; whoever keeps it. */

import type { LeasePhase } from "../../domain/node/decide-lease.ts";

export type LeaseState = {
  readonly epoch: number;
  /** Only then may anything be started. */
  readonly isHeld: boolean;
  readonly phase: LeasePhase | "unknown";
  /** Whether others could take over. */
  readonly fences: boolean;
  /** Since each half was renewed; null where it never was. */
  readonly rowAgeMs: number | null;
  readonly counterAgeMs: number | null;
  /** In words; empty when all is well. */
  readonly trouble: string;
};

export interface NodeLease {
  readonly state: LeaseState;
  /** Resolves once it is held. */
  start(): Promise<void>;
  stop(): void;
}
