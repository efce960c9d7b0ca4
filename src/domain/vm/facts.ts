/** What a plan looks at: the desired and the observed side of one desktop, and the times it goes by. */

import type { DiId, SessionId } from "../ids.ts";
import type { VmState } from "./state.ts";
import type { VmAction, VmFault, VmStep } from "./steps.ts";

export type VmImage =
  | {
      readonly kind: "ready";
      readonly diId: DiId;
      readonly isUnpacked: boolean;
      /** The box is at it already, for nobody in particular. */
      readonly isBeingUnpacked?: boolean;
    }
  /** It is being taken in; it will be ready or broken. */
  | { readonly kind: "pending"; readonly text: string }
  | { readonly kind: "unusable"; readonly text: string };

export type VmSession = {
  readonly id: SessionId;
  readonly state: "requested" | "preparing" | "listening" | "failed";
  readonly requestedAtMs: number;
};

/** What the OSF says of its desktops. */
export type VmPolicy = {
  /** After the last person left; undefined: never, 0: at once. */
  readonly idleStopMs: number | undefined;
  /** Of a desktop that ended without anybody's order. */
  readonly onCrash: "leave" | "restart";
};

export type VmDesired = {
  readonly wish: "running" | "stopped";
  readonly generation: number;
  readonly wishedBy: string;
  /** Sentence of whoever blocked it; undefined when it isn't blocked. */
  readonly blockedReason: string | undefined;
  readonly isDeleted: boolean;
  /** The box is going down: everything stops, wishes stand. */
  readonly isBoxStopping: boolean;
  /** Its node is being drained; `canLeave` when nothing of the desktop is tied to that box. */
  readonly drain?: { readonly mode: "finish" | "move"; readonly canLeave: boolean } | undefined;
  readonly image: VmImage;
  /** The live sitting, if there is one. */
  readonly session: VmSession | undefined;
  readonly policy: VmPolicy;
  /** From when on the person is asked to restart it, and when it is stopped. */
  readonly expiresSoftAtMs: number | undefined;
  readonly expiresHardAtMs: number | undefined;
};

export type VmReport = {
  readonly state: VmState;
  readonly stateAtMs: number;
  readonly generationSeen: number;
  readonly tries: number;
  readonly nextTryAtMs: number | undefined;
  /** The image that it runs, or ran last. */
  readonly diId: DiId | undefined;
  readonly hasAgent: boolean;
  readonly xState: string;
  readonly fault: VmFault | undefined;
  /** Undefined: not checked. */
  readonly hasNetwork: boolean | undefined;
  /** Ends and failed boots of its own since it last ran long enough. */
  readonly crashes: number;
  /** Since when nobody is connected, while it runs. */
  readonly idleSinceMs: number | undefined;
  /** Counts its lives: one more at each start of its container. */
  readonly incarnation: number;
  /** What was last told of its place in the queue. */
  readonly queuePosition: number | undefined;
  readonly queueDueAtMs: number | undefined;
};

/** What the box sees of the desktop's network from outside. */
export type VmNetwork =
  | { readonly isOk: true }
  | { readonly isOk: false; readonly code: string; readonly text: string };

export type VmAgent = {
  readonly isAttached: boolean;
  /** When it attached or was lost, whichever came last; undefined when it was never seen. */
  readonly changedAtMs: number | undefined;
  readonly xState: string;
  /** Somebody inside asked for a power-off. */
  readonly isPoweringOff: boolean;
  /** Nothing of ours is in the machine: it counts as attached while it lives. */
  readonly isNone?: boolean;
  /** Nor do the agents of most other desktops of the box answer: the fault is the box's, or our release's. */
  readonly areOthersSilent?: boolean;
  /** Somebody is at the machine's own screen: its person, or an administrator who looks why its agent is silent. */
  readonly isAtConsole?: boolean;
};

/** A session that begins with its desktop, before there is an agent, as the node sees it. */
export type EarlySession = {
  readonly sessionId: SessionId;
  /** nxagent waits for its client: the kernel's word, not the desktop's. */
  readonly isListening: boolean;
};

export type VmFailure = VmFault & { readonly action: VmAction };

export type VmObserved = {
  /** What was last reported; a desktop that was never reported is stopped. */
  readonly report: VmReport;
  readonly isAlive: boolean;
  /** Whatever of it lies on the box although it may be dead: mounts, interfaces, control groups, folders. */
  readonly leftovers: readonly string[];
  readonly agent: VmAgent;
  /** A virtual machine without the processor's help. */
  readonly isEmulated?: boolean;
  /** Undefined where none has begun with this life. */
  readonly earlySession?: EarlySession | undefined;
  /** Undefined: not checked. */
  readonly network: VmNetwork | undefined;
  /** Somebody sat there in this life. */
  readonly wasVisited: boolean;
  /** The person inside was told of the soft expiry. */
  readonly wasExpiryTold: boolean;
  /** The step that failed since the last plan. */
  readonly failure: VmFailure | undefined;
  /** 0: it has its turn to start; else how many come before it, itself included. */
  readonly queuePosition: number;
  /** When its turn is estimated to come; undefined without a measured start. */
  readonly queueDueAtMs: number | undefined;
  /** Likewise for its stop; 0: it may go down now. */
  readonly stopQueuePosition: number;
  readonly killedAtMs: number | undefined;
  readonly cleanUpFailures: number;
  readonly cleanUpFailedAtMs: number | undefined;
  /** This box may run desktops. */
  readonly hasLease: boolean;
};

export type VmLimits = {
  readonly mostTries: number;
  readonly firstBackoffMs: number;
  readonly mostBackoffMs: number;
  readonly startTimeoutMs: number;
  /** How long a start waits for an image that is being taken in. */
  readonly imageTimeoutMs: number;
  readonly poweroffAnswerMs: number;
  readonly goingDownMs: number;
  readonly terminateMs: number;
  readonly killAgainMs: number;
  /** A desktop that ran this long starts afresh with its tries. */
  readonly stableAfterMs: number;
  /** An agent may be away this long, as when it restarts, before anybody is told. */
  readonly agentLostAfterMs: number;
  /** A desktop whose agent stays away so long is restarted, unless somebody is connected. */
  readonly agentGoneAfterMs: number;
  readonly sessionPrepareMs: number;
  /** How long a session request waits for an agent that is away. */
  readonly sessionAgentMs: number;
  /** So many crashes and failed boots in a row, and the desktop is blocked. */
  readonly mostCrashes: number;
  /** A desktop that was started and that nobody has entered is not idle before. */
  readonly unvisitedMs: number;
  /** How often a network that hasn't come up yet is looked at. */
  readonly networkAgainMs: number;
  /** How long the agent may take to show a notice to its user. */
  readonly noticeMs: number;
};

/** The documented times. */
export const VM_LIMITS: VmLimits = {
  mostTries: 3,
  firstBackoffMs: 2_000,
  mostBackoffMs: 60_000,
  startTimeoutMs: 60_000,
  imageTimeoutMs: 600_000,
  poweroffAnswerMs: 5_000,
  goingDownMs: 30_000,
  terminateMs: 10_000,
  killAgainMs: 10_000,
  stableAfterMs: 600_000,
  agentLostAfterMs: 15_000,
  agentGoneAfterMs: 320_000,
  sessionPrepareMs: 60_000,
  sessionAgentMs: 20_000,
  mostCrashes: 9,
  unvisitedMs: 900_000,
  networkAgainMs: 1_000,
  noticeMs: 10_000,
};

/** What a plan gives: steps in their order, and when to look again if nothing wakes us before. */
export type VmPlan = {
  readonly steps: readonly VmStep[];
  readonly wakeAtMs: number | undefined;
};

export const NEVER_REPORTED: VmReport = {
  state: "stopped",
  stateAtMs: 0,
  generationSeen: 0,
  tries: 0,
  nextTryAtMs: undefined,
  diId: undefined,
  hasAgent: false,
  xState: "none",
  fault: undefined,
  hasNetwork: undefined,
  crashes: 0,
  idleSinceMs: undefined,
  incarnation: 0,
  queuePosition: undefined,
  queueDueAtMs: undefined,
};

/** Of an OSF that says nothing of its own. */
export const DEFAULT_POLICY: VmPolicy = { idleStopMs: undefined, onCrash: "restart" };

/** One argument for the planners of the single states. */
export type VmFacts = {
  readonly desired: VmDesired;
  readonly observed: VmObserved;
  readonly nowMs: number;
  readonly limits: VmLimits;
};
