/**
 * Asks `qvd auth run` who a client is. Clients send their credentials with each request; what was proved
 * once on a connection holds for the same credentials until it closes.
 */

import type { UserActor } from "../domain/access/actor.ts";
import { asId, type TenantId, type UserId } from "../domain/ids.ts";
import type { AuthAnswer, AuthQuestion } from "../wire/auth/messages.ts";
import type { Answer } from "../wire/client/answer.ts";
import { type Credentials, parseCredentials } from "../wire/client/credentials.ts";

export interface PasswordVerifier {
  verify(question: Omit<AuthQuestion, "id">, signal: AbortSignal): Promise<AuthAnswer>;
}

export class ConnectionAuthenticator {
  readonly #verifier: PasswordVerifier;
  readonly #origin: string;
  #proved: { readonly authorization: string; readonly identity: UserActor } | undefined;

  constructor(verifier: PasswordVerifier, origin: string) {
    this.#verifier = verifier;
    this.#origin = origin;
  }

  /** Whether somebody has proved on this connection who they are. */
  get hasProof(): boolean {
    return this.#proved !== undefined;
  }

  /** `authorization` is the header's value. */
  async authenticate(authorization: string | undefined, signal: AbortSignal): Promise<UserActor | Answer> {
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
    const identity: UserActor = {
      kind: "user",
      userId: asId<UserId>(answer.userId),
      login: answer.login,
      tenantId: asId<TenantId>(answer.tenantId),
      tenantName: answer.tenantName,
    };
    this.#proved = { authorization, identity };
    return identity;
  }
}

function questionOf(credentials: Credentials): Pick<AuthQuestion, "login" | "proof"> {
  if (credentials.kind === "token") return { login: "", proof: credentials };
  const { kind, login, password } = credentials;
  return { login, proof: { kind, password } };
}
