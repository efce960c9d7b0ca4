/**
 * What can be done to a desktop: one type that maps each action to its arguments. The plan makes steps of it,
 * the executor table of `src/node/execute` is typed by it. A step carries its reason in words.
 */

import type { DiId, SessionId } from "../ids.ts";
import type { VmEventCode } from "./event.ts";
import type { VmState } from "./state.ts";

export type VmFault = { readonly code: string; readonly text: string };

export type VmEventDraft = {
  readonly code: VmEventCode;
  readonly text: string;
  readonly detail?: Readonly<Record<string, unknown>>;
};

/** What becomes known of a desktop. A field that is left out stays as it is; null empties it. */
export type VmReportPatch = {
  readonly state?: VmState;
  readonly generationSeen?: number;
  readonly tries?: number;
  readonly nextTryAtMs?: number | null;
  readonly diId?: DiId | null;
  readonly hasAgent?: boolean;
  readonly xState?: string;
  readonly fault?: VmFault | null;
  readonly hasNetwork?: boolean;
  readonly crashes?: number;
  readonly idleSinceMs?: number | null;
  readonly incarnation?: number;
  readonly queuePosition?: number | null;
  readonly queueDueAtMs?: number | null;
  readonly events?: readonly VmEventDraft[];
};

/** Whose wish it is that a desktop stops, when no person asked for it. */
export type StopCause = "powered-off" | "idle" | "expired" | "crashed";

export type SessionReportPatch = {
  readonly sessionId: SessionId;
  readonly state: "preparing" | "listening" | "failed";
  readonly fault?: VmFault;
  readonly events: readonly VmEventDraft[];
};

export type VmStepArgs = {
  /** Writes what is now true, and the trail. */
  readonly report: VmReportPatch;
  readonly "unpack-image": { readonly diId: DiId };
  readonly "prepare-disks": { readonly diId: DiId };
  readonly "start-container": { readonly diId: DiId; readonly incarnation: number };
  /** Resolves when the agent has answered; fails when it has not within the time. */
  readonly "ask-poweroff": { readonly timeoutMs: number };
  readonly halt: Record<never, never>;
  readonly terminate: Record<never, never>;
  readonly kill: Record<never, never>;
  /** Removes everything that a dead desktop left on the box but its home. */
  readonly "clean-up": Record<never, never>;
  readonly "report-session": SessionReportPatch;
  readonly "prepare-session": { readonly sessionId: SessionId; readonly timeoutMs: number };
  /** The desktop's own wish to be off, or that of what its OSF says; undone by any newer wish. */
  readonly "wish-stopped": {
    readonly generation: number;
    readonly cause: StopCause;
    readonly text: string;
  };
  /** It keeps failing: nobody starts it until a person has looked. */
  readonly block: { readonly reason: string };
  /** Shows a sentence to whoever sits inside. */
  readonly "notify-guest": { readonly text: string; readonly timeoutMs: number };
  /** Its expiry was that of the life that has ended. */
  readonly "clear-expiry": Record<never, never>;
  /** Gives it back to placement; `text` is what its trail says. */
  readonly release: { readonly text: string };
  readonly "retire-home": Record<never, never>;
  readonly "delete-row": Record<never, never>;
};

export type VmAction = keyof VmStepArgs;

export type VmStep = {
  readonly [Action in VmAction]: {
    readonly action: Action;
    readonly args: VmStepArgs[Action];
    readonly reason: string;
    /** Done while the next step is; what comes after that waits for both. */
    readonly isBeside?: true;
  };
}[VmAction];

/** For what is told of a step that begins: nobody needs to wait for the telling. */
export function beside<Step extends VmStep>(step: Step): Step {
  return { ...step, isBeside: true };
}

/** Makes a step; keeps the pair of action and arguments together for the compiler. */
export function step<Action extends VmAction>(
  action: Action,
  args: VmStepArgs[Action],
  reason: string,
): Extract<VmStep, { action: Action }> {
  // The three belong together by the signature; TypeScript can't follow that through the mapped type.
  return { action, args, reason } as unknown as Extract<VmStep, { action: Action }>;
}
