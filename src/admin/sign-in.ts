/** Signing an administrator in, for the page and for the API: asks auth, then begins the sign-in. */

import { type AdministratorId, asId } from "../domain/ids.ts";
import { isAppError } from "../lib/errors.ts";
import { beginSignIn } from "../service/sign-in/begin.ts";
import { WRONG_CODE } from "../ui/sign-in-card.tsx";
import type { AuthProof } from "../wire/auth/messages.ts";
import type { AdminDeps } from "./deps.ts";
import type { AdminContext } from "./env.ts";

export type BegunSignIn = {
  readonly kind: "begun";
  readonly token: string;
  readonly expiresAt: Date;
  readonly login: string;
  readonly tenantName: string;
};

export type SignInOutcome =
  | BegunSignIn
  | { readonly kind: "refused"; readonly status: 401 | 503; readonly text: string }
  /** The first half was right. `isEnrolled` false: a second factor is asked for, and none is set up yet. */
  | { readonly kind: "code-needed"; readonly ticket: string; readonly isEnrolled: boolean };

const WRONG = "This login and password don't belong together. Check both and try again.";
const NOBODY = "Whom your provider says you are is no administrator here.";
const REFUSALS = {
  password: WRONG,
  "second-factor": WRONG_CODE,
  oidc: NOBODY,
  token: WRONG,
} as const satisfies Record<AuthProof["kind"], string>;

export async function signInAdministrator(
  deps: AdminDeps,
  c: AdminContext,
  shown: { readonly login: string; readonly proof: AuthProof },
): Promise<SignInOutcome> {
  const origin = c.env?.address ?? "unknown";
  const { login, proof } = shown;
  const answer = await deps.auth.verify({ kind: "administrator", login, proof, origin }, c.req.raw.signal);
  const refused = { kind: "refused", status: 401, text: REFUSALS[proof.kind] } as const;
  switch (answer.outcome) {
    case "second-factor-needed":
      return { kind: "code-needed", ticket: answer.ticket, isEnrolled: answer.isEnrolled };
    case "denied":
      deps.log.warn("sign-in-denied", { login: login.slice(0, 80), proof: proof.kind, origin });
      return refused;
    case "busy":
    case "unavailable":
      return { kind: "refused", status: 503, text: answer.text };
    default:
  }
  if (!("administratorId" in answer)) return refused;
  return (await beginFor(deps, c, asId<AdministratorId>(answer.administratorId))) ?? refused;
}

/** For one whom auth has just proved; undefined when they were blocked meanwhile. */
export async function beginFor(
  deps: AdminDeps,
  c: AdminContext,
  administratorId: AdministratorId,
): Promise<BegunSignIn | undefined> {
  try {
    const origin = c.env?.address ?? "unknown";
    const context = { db: deps.db, actor: { kind: "system", what: "admin" } as const, origin };
    const begun = await beginSignIn(context, deps, { administratorId });
    const { login, tenantName } = begun.actor;
    return { kind: "begun", token: begun.token, expiresAt: begun.expiresAt, login, tenantName };
  } catch (error) {
    // A stranger learns no more than from a wrong password.
    if (isAppError(error) && error.code === "not-signed-in") return undefined;
    throw error;
  }
}
