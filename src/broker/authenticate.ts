/**
 * Asks `qvd auth run` who a client is. Clients send their credentials with each request; what was proved
 * once on a connection holds for the same credentials until it closes.
 */

import type { UserActor } from "../domain/access/actor.ts";
import { asId, type TenantId, type UserId, type VmId } from "../domain/ids.ts";
import type { AuthAnswer, AuthPlace, AuthQuestion } from "../wire/auth/messages.ts";
import type { Answer } from "../wire/client/answer.ts";
import { type Credentials, parseCredentials } from "../wire/client/credentials.ts";
import { describePlace, type WaitingRoom } from "./waiting-room.ts";

export interface PasswordVerifier {
  verify(
    question: Omit<AuthQuestion, "id" | "tellsPlace">,
    signal: AbortSignal,
    onPlace?: (place: AuthPlace) => void,
  ): Promise<AuthAnswer>;
}

export type AuthenticatorOptions = {
  readonly origin: string;
  readonly room: WaitingRoom;
  /** How long somebody may wait for their turn. */
  readonly mayWaitMs: number;
};

/** What a request shows, and how its sender is told of a wait, where that can be. */
export type Shown = {
  /** The header's value. */
  readonly authorization: string | undefined;
  readonly tell: ((text: string) => void) | undefined;
  /** They stand in a crowd; may come again and again. */
  readonly onCrowd: () => void;
  readonly signal: AbortSignal;
};

type PutOff = { readonly text: string; readonly retryMs?: number | undefined };
type AcceptedUser = Extract<AuthAnswer, { readonly outcome: "accepted"; readonly userId: number }>;

/** Who proved to be whom, and what the proof is good for. */
export type Identity = {
  readonly actor: UserActor;
  /** What the authenticator gives the desktop. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The only desktop that the proof opens; undefined: all of theirs. */
  readonly boundTo: VmId | undefined;
  /** A token proves less than what it was made for: it makes no further one. */
  readonly isByToken: boolean;
};

export class ConnectionAuthenticator {
  readonly #verifier: PasswordVerifier;
  readonly #options: AuthenticatorOptions;
  #proved: { readonly authorization: string; readonly identity: Identity } | undefined;

  constructor(verifier: PasswordVerifier, options: AuthenticatorOptions) {
    this.#verifier = verifier;
    this.#options = options;
  }

  /** Whether somebody has proved on this connection who they are. */
  get hasProof(): boolean {
    return this.#proved !== undefined;
  }

  async authenticate({ authorization, tell, onCrowd, signal }: Shown): Promise<Identity | Answer> {
    if (authorization !== undefined && this.#proved?.authorization === authorization)
      return this.#proved.identity;
    const credentials = parseCredentials(authorization);
    if (authorization === undefined || credentials === undefined) return { status: 401 };
    const { origin, mayWaitMs } = this.#options;
    const question = { kind: "user", ...questionOf(credentials), origin, mayWaitMs } as const;
    const onPlace = (place: AuthPlace) => {
      const text = describePlace(place);
      if (text === undefined) return;
      onCrowd();
      tell?.(text);
    };
    const answer = await this.#verifier.verify(question, signal, onPlace);
    // An NX client can't be asked for a code: it sends it at the password's end.
    if (answer.outcome === "denied" || answer.outcome === "second-factor-needed") return { status: 401 };
    if (answer.outcome === "busy") return await this.#sendAway(answer, signal);
    if (answer.outcome !== "accepted") return { status: 503, body: answer.text };
    if (!("userId" in answer)) return { status: 401 };
    const identity = identityOf(answer, credentials.kind === "token");
    this.#proved = { authorization, identity };
    return identity;
  }

  async #sendAway({ text, retryMs = RETRY_MS }: PutOff, signal: AbortSignal): Promise<Answer> {
    await this.#options.room.hold(retryMs, signal);
    return { status: 503, body: text, retryAfterSeconds: Math.ceil(retryMs / 1_000) };
  }
}

/** Where auth doesn't say. */
const RETRY_MS = 10_000;

function identityOf(answer: AcceptedUser, isByToken: boolean): Identity {
  const { userId, login, tenantId, tenantName, parameters = {}, vmId } = answer;
  return {
    actor: {
      kind: "user",
      userId: asId<UserId>(userId),
      login,
      tenantId: asId<TenantId>(tenantId),
      tenantName,
    },
    parameters,
    boundTo: vmId === undefined ? undefined : asId<VmId>(vmId),
    isByToken,
  };
}

function questionOf(credentials: Credentials): Pick<AuthQuestion, "login" | "proof"> {
  if (credentials.kind === "token") return { login: "", proof: credentials };
  const { kind, login, password } = credentials;
  return { login, proof: { kind, password } };
}
