/** What an explanation goes by: a desktop's row, its node's report and its trail, as whoever explains has read them. */

import type { Drain } from "./plan-drain.ts";
import type { VmState } from "./state.ts";

export type ExplainReport = {
  readonly state: VmState;
  readonly stateAt: Date;
  readonly generationSeen: number;
  readonly tries: number;
  readonly nextTryAt: Date | null;
  readonly hasAgent: boolean;
  /** Null: not checked. */
  readonly hasNetwork: boolean | null;
  readonly faultCode: string | null;
  readonly fault: string | null;
  readonly crashes: number;
  readonly queuePosition: number | null;
  readonly queueDueAt: Date | null;
  readonly idleSince: Date | null;
};

export type ExplainImage = {
  readonly version: string;
  readonly state: "new" | "fetching" | "verifying" | "ready" | "failed";
  readonly fault: string | null;
  readonly isBlocked: boolean;
};

export type ExplainNode = {
  readonly name: string;
  readonly hasLease: boolean;
  /** Being drained, or drained; whether this desktop can leave it then. */
  readonly drain: Drain | null;
  /** What it gives a desktop of this kind to come up; null where it hasn't said so. */
  readonly startTimeoutMs: number | null;
  readonly isBlocked: boolean;
};

export type ExplainEvent = {
  readonly at: Date;
  readonly code: string;
  readonly text: string;
  readonly generation: number | null;
  readonly detail: unknown;
};

export type ExplainFacts = {
  /** Nodes on which it runs though the site doesn't place it there. */
  readonly strangeOn?: readonly { readonly node: string; readonly vmId: number }[];
  readonly name: string;
  readonly wish: "running" | "stopped";
  readonly wishedBy: string | null;
  readonly wishedAt: Date | null;
  readonly generation: number;
  readonly isBlocked: boolean;
  readonly blockedReason: string | null;
  readonly osf: string;
  readonly tag: string;
  /** False: a machine without our agent, seen on its console only. */
  readonly expectsAgent: boolean;
  /** What the tag is on; null when no image has it. */
  readonly image: ExplainImage | null;
  readonly idleStopSeconds: number | null;
  readonly expiresSoftAt: Date | null;
  readonly expiresHardAt: Date | null;
  /** Null while no node has it. */
  readonly node: ExplainNode | null;
  /** Null before the first report. */
  readonly report: ExplainReport | null;
  readonly isConnected: boolean;
  /** Somebody sat there in this life. */
  readonly wasVisited: boolean;
  /** Newest first. */
  readonly events: readonly ExplainEvent[];
};

export type Advice = {
  readonly text: string;
  /** That does it; null where no command can. */
  readonly command: string | null;
};

export type Candidate = { readonly node: string; readonly reason: string };

export type Explanation = {
  readonly wished: string;
  readonly truth: string;
  /** Why they differ; null when they don't. */
  readonly difference: string | null;
  /** What was tried for this wish, oldest first. */
  readonly tried: readonly { readonly at: Date; readonly text: string }[];
  readonly next: string;
  readonly nextAt: Date | null;
  readonly advice: readonly Advice[];
  /** Nodes that could have taken it, and why each did not. */
  readonly candidates: readonly Candidate[];
};
