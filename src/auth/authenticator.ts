/**
 * One way to prove who somebody is. Local accounts are the first; directories and tokens come behind the
 * same interface. An authenticator answers in a time that doesn't tell whether the account exists.
 */

import type { AdministratorId, TenantId, UserId } from "../domain/ids.ts";
import type { LoginName } from "./login.ts";

export type Verdict =
  | { readonly outcome: "accepted"; readonly account: ProvedAccount }
  | { readonly outcome: "denied" }
  /** Too much is asked at a time; `text` is for the person. */
  | { readonly outcome: "busy"; readonly text: string }
  | { readonly outcome: "unavailable"; readonly text: string };

export type ProvedAccount = {
  readonly id: { readonly userId: UserId } | { readonly administratorId: AdministratorId };
  readonly login: string;
  readonly tenantId: TenantId;
  readonly tenantName: string;
};

export type Proof = {
  readonly kind: "user" | "administrator";
  readonly name: LoginName;
  readonly password: string;
};

export interface Authenticator {
  /** Never rejects for what a stranger sent; an account that is unknown or blocked is `denied`. */
  verify(proof: Proof, signal: AbortSignal): Promise<Verdict>;
}
