/** What flows between a connection and the endpoint that answers its request. */

import type { SessionId, UserId, VisitId, VmId } from "../domain/ids.ts";
import type { GivenParameters } from "../domain/session/client-parameters.ts";
import type { Log } from "../lib/log.ts";
import type { Answer } from "../wire/client/answer.ts";
import type { RequestHead } from "../wire/client/request-head.ts";
import type { Identity } from "./authenticate.ts";
import type { Leaving } from "./leaving.ts";
import type { BrokerLimits } from "./limits.ts";
import type { Relay } from "./relay/accept-relay.ts";
import type { BoxIdentity } from "./relay/box-proof.ts";
import type { BrokerStore, Elsewhere } from "./store.ts";
import type { Wakes } from "./wakes.ts";

export type EndpointDeps = {
  readonly store: BrokerStore;
  readonly wakes: Wakes;
  readonly limits: BrokerLimits;
  readonly log: Log;
  /** What proves this box to the others of its site; undefined: it relays for nobody and to nobody. */
  readonly identity?: BoxIdentity | undefined;
  /** Where this box's node lets its brokers to the screens of machines; undefined: to none. */
  readonly consoleSocket?: string | undefined;
  /** Makes bearer tokens for people who proved themselves. */
  readonly tokens: TokenMaker;
  /** What a drain tells balancers. */
  readonly leaving?: Leaving | undefined;
  readonly createSlaveKey: () => string;
  /** Notes that a sitting is over before it was connected; done as soon as the database takes it. */
  readonly recordEnd: (sessionId: SessionId, cause: string) => void;
  /** Has the other processes of the box look at a desktop, after a committed change. */
  readonly wake: (vmId: VmId) => void;
};

export type TokenWish = {
  readonly userId: UserId;
  /** The only desktop that it shall open. */
  readonly vmId: VmId | undefined;
  readonly isMultiUse: boolean;
  /** What their authenticator gives their desktops. */
  readonly parameters: GivenParameters;
  readonly origin: string;
};

export interface TokenMaker {
  /** A token of many uses, or what to tell whoever can't have one. */
  createToken(
    wish: TokenWish,
    signal: AbortSignal,
  ): Promise<{ readonly token: string; readonly tokenId: number } | Answer>;
  /** Undefined when it opens nothing any more, or what to tell. */
  giveBack(
    shown: { readonly token: string; readonly origin: string },
    signal: AbortSignal,
  ): Promise<Answer | undefined>;
}

export type BrokerRequest = {
  readonly head: RequestHead;
  readonly clientAddress: string;
  /** What only the two ends of this connection know. */
  readonly readChannelKey: () => Uint8Array;
  /** The person behind the request, or the answer for somebody who couldn't prove to be one. */
  authenticate(): Promise<Identity | Answer>;
  /** Sends a progress message. */
  tell(text: string): void;
  /** Aborted when the client is gone: nobody reads the answer any more. */
  readonly signal: AbortSignal;
};

export type ReadySession = {
  readonly id: SessionId;
  readonly vmId: VmId;
  readonly address: string;
  readonly port: number;
  readonly slaveKey: string;
  /** The desktop is another box's; its broker leads there. */
  readonly elsewhere: Elsewhere | undefined;
  /** Its screen is the machine's own, behind its node's console door; address and port say nothing. */
  readonly isConsole?: boolean;
  /** An administrator's at such a screen; then there is no session, and `id` says nothing. */
  readonly visitId?: VisitId;
};

export type Outcome =
  | {
      readonly kind: "answer";
      readonly answer: Answer;
      readonly isLast: boolean;
      /** The asker is known, and about to go on: a drain waits for that. */
      readonly expectsMore?: boolean;
    }
  | { readonly kind: "upgrade"; readonly session: ReadySession }
  | { readonly kind: "relay"; readonly relay: Relay };

export type Endpoint = (deps: EndpointDeps, request: BrokerRequest) => Promise<Outcome>;

/** A final answer after which the conversation goes on. */
export function reply(answer: Answer): Outcome {
  return { kind: "answer", answer, isLast: false };
}

/** A final answer after which the connection is closed. */
export function replyAndClose(answer: Answer): Outcome {
  return { kind: "answer", answer, isLast: true };
}
