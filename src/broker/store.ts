/**
 * What the broker needs to know and to have written, and nothing else of the database. Implemented on
 * queries and services by `database-store.ts`, by a table in memory in tests and benchmarks.
 *
 * Any method rejects with an AppError `database-away` while there is no database.
 */

import type { SessionAccess } from "../db/schema/sessions.ts";
import type { UserActor } from "../domain/access/actor.ts";
import type { SessionId, UserId, VisitId, VmId } from "../domain/ids.ts";
import type { ClientParameters, GivenParameters } from "../domain/session/client-parameters.ts";
import type { QueuePlace, RequestFacts } from "../domain/session/progress.ts";
import type { VmEventCode } from "../domain/vm/event.ts";
import type { VmState } from "../domain/vm/state.ts";

export type NodeView = {
  readonly isBlocked: boolean;
  readonly state: string;
  /** Somebody has the box emptied. */
  readonly isDraining?: boolean;
};

export type DesktopView = {
  readonly id: VmId;
  readonly userId: UserId;
  readonly name: string;
  readonly isBlocked: boolean;
  readonly state: VmState;
  readonly wish: "running" | "stopped";
  /** Offered among the applications instead of the desktops. */
  readonly isApplication: boolean;
  /** In its node's queue of starts. */
  readonly queue?: QueuePlace | undefined;
  /** Code of what is wrong with it, as its node last said. */
  readonly fault?: string | undefined;
  /** Whether its person may work at the screen of the machine itself, and whether there is another way. */
  readonly console?: "none" | "offered" | "only" | undefined;
};

export type SessionView = {
  readonly state: "requested" | "preparing" | "listening" | "failed";
  readonly isSuperseded: boolean;
  readonly isEnded: boolean;
  readonly isEndWished: boolean;
  readonly address: string | undefined;
  readonly port: number | undefined;
  /** Undefined while the desktop is this box's, or no node's. */
  readonly elsewhere?: Elsewhere | undefined;
  readonly faultText: string | undefined;
};

/** The node that has a desktop, and where its broker is reached; undefined before it said so. */
export type Elsewhere = { readonly node: string; readonly address: string | undefined };

/** What a broker that is asked to relay must know. */
export type RelayView = {
  /** Under which this node registered. */
  readonly address: string | undefined;
  /** Where the session waits; undefined when it isn't one that another broker has claimed here. */
  readonly desktop:
    | { readonly vmId: VmId; readonly address: string; readonly port: number; readonly isConsole?: boolean }
    | undefined;
};

export type KnownSession = { readonly vmId: VmId; readonly userId: UserId; readonly slaveKey: string };

export type TrailEvent = { readonly id: number; readonly code: VmEventCode; readonly text: string };

/** All that a waiting client's fate depends on. */
export type WaitView = {
  readonly session: SessionView | undefined;
  readonly desktop: DesktopView | undefined;
  /** Oldest first, at most 100. */
  readonly events: readonly TrailEvent[];
};

export type Asker = {
  readonly actor: UserActor;
  /** The client's address. */
  readonly origin: string;
};

export type SessionRequest = {
  readonly asker: Asker;
  readonly vmId: VmId;
  readonly client: ClientParameters;
  /** What shows the desktop; an NX client unless it says so. */
  readonly access?: SessionAccess | undefined;
  /** What an authenticator gives the desktop; goes over what the client says. */
  readonly parameters?: GivenParameters | undefined;
  readonly slaveKey: string;
};

export type RequestedSession = RequestFacts & {
  readonly sessionId: SessionId;
  /** The trail's event of this request: progress is what comes after it. */
  readonly eventId: number;
};

/** What a sitting has carried since it began. */
export type Traffic = {
  readonly bytesToClient: number;
  readonly bytesFromClient: number;
};

export type SessionTraffic = Traffic & { readonly sessionId: SessionId };

export type SessionEnd = Traffic & { readonly cause: string };

export interface BrokerStore {
  /** This box; undefined when it isn't registered. */
  readNode(): Promise<NodeView | undefined>;
  /** The desktops of a user, by id. */
  listDesktops(userId: UserId): Promise<readonly DesktopView[]>;
  readDesktop(vmId: VmId): Promise<DesktopView | undefined>;
  /** Supersedes an older sitting and wishes the desktop running. Authorises again. */
  requestSession(request: SessionRequest): Promise<RequestedSession>;
  readSession(sessionId: SessionId): Promise<SessionView | undefined>;
  /** A sitting, its desktop, and what the trail says after an event of it. */
  readWait(sessionId: SessionId, afterEventId: number): Promise<WaitView>;
  /** How a session ended that a client knows by its key: without a cause while it goes on; undefined when there is none. */
  readEnd(known: KnownSession): Promise<{ readonly cause: string | undefined } | undefined>;
  readRelay(sessionId: SessionId): Promise<RelayView>;
  /** The same of a visit at the console of a machine. */
  readVisitRelay(visitId: VisitId): Promise<RelayView>;
  /** Oldest first, at most 100. */
  listEventsSince(vmId: VmId, afterId: number): Promise<readonly TrailEvent[]>;
  wishStopped(asker: Asker, vmId: VmId): Promise<void>;
  /** Marks the sitting connected; false when it was superseded or ended meanwhile. */
  recordConnected(sessionId: SessionId): Promise<boolean>;
  /** What sittings carried so far, in one statement; those that ended meanwhile keep what their end says. */
  recordTraffic(traffic: readonly SessionTraffic[]): Promise<void>;
  /** May be called twice; the first end counts. */
  recordEnded(sessionId: SessionId, end: SessionEnd): Promise<void>;
  /** Looks once more at a sitting that ended: its person may have signed out, or its desktop gone down. */
  recordSecondLook(sessionId: SessionId): Promise<void>;
  /** Sittings of this worker that a newer client took over or somebody wished ended. */
  listSessionsToEnd(): Promise<readonly { readonly id: SessionId; readonly cause: string }[]>;
  /** Ends the sittings that workers of this box which are gone left open, and says how many. */
  closeOrphans(): Promise<number>;
  /** Says of the sittings of this worker, and of those that it relays, that they end in `inMs`, unless that was said before of a time as near. */
  announceEnds(inMs: number, relayed: readonly SessionId[]): Promise<void>;
}
