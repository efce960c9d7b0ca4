/**
 * Asks `qvd auth run` who a client is. Clients send their credentials with each request; what was proved
 * once on a connection holds for the same credentials until it closes.
 */

import type { UserActor } from "../domain/access/actor.ts";
import { asId, type TenantId, type UserId, type VmId } from "../domain/ids.ts";
import type { AuthAnswer, AuthQuestion } from "../wire/auth/messages.ts";
import type { Answer } from "../wire/client/answer.ts";
import { type Credentials, parseCredentials } from "../wire/client/credentials.ts";

export interface PasswordVerifier {
  verify(question: Omit<AuthQuestion, "id">, signal: AbortSignal): Promise<AuthAnswer>;
}

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
  readonly #origin: string;
  #proved: { readonly authorization: string; readonly identity: Identity } | undefined;

  constructor(verifier: PasswordVerifier, origin: string) {
    this.#verifier = verifier;
    this.#origin = origin;
  }

  /** Whether somebody has proved on this connection who they are. */
  get hasProof(): boolean {
    return this.#proved !== undefined;
  }

  /** `authorization` is the header's value. */
  async authenticate(authorization: string | undefined, signal: AbortSignal): Promise<Identity | Answer> {
    if (authorization !== undefined && this.#proved?.authorization === authorization)
      return this.#proved.identity;
    const credentials = parseCredentials(authorization);
    if (authorization === undefined || credentials === undefined) return { status: 401 };
    const question = { kind: "user", ...questionOf(credentials), origin: this.#origin } as const;
    const answer = await this.#verifier.verify(question, signal);
    // An NX client can't be asked for a code: it sends it at the password's end.
    if (answer.outcome === "denied" || answer.outcome === "second-factor-needed") return { status: 401 };
    if (answer.outcome !== "accepted") return { status: 503, body: answer.text };
    if (!("userId" in answer)) return { status: 401 };
    const identity = identityOf(answer, credentials.kind === "token");
    this.#proved = { authorization, identity };
    return identity;
  }
}

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
