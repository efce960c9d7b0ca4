/** Signing an administrator in, for the page and for the API: asks auth, then begins the sign-in. */

import { type AdministratorId, asId } from "../domain/ids.ts";
import { isAppError } from "../lib/errors.ts";
import { beginSignIn } from "../service/sign-in/begin.ts";
import type { AdminDeps } from "./deps.ts";
import type { AdminContext } from "./env.ts";

export type SignInOutcome =
  | {
      readonly kind: "begun";
      readonly token: string;
      readonly expiresAt: Date;
      readonly login: string;
      readonly tenantName: string;
    }
  | { readonly kind: "refused"; readonly status: 401 | 503; readonly text: string };

const WRONG = "This login and password don't belong together. Check both and try again.";

export async function signInAdministrator(
  deps: AdminDeps,
  c: AdminContext,
  proof: { readonly login: string; readonly password: string },
): Promise<SignInOutcome> {
  const origin = c.env?.address ?? "unknown";
  const { login, password } = proof;
  const question = { kind: "administrator", login, proof: { kind: "password", password }, origin } as const;
  const answer = await deps.auth.verify(question, c.req.raw.signal);
  switch (answer.outcome) {
    // Without a field of its own the code stands at the password's end.
    case "second-factor-needed":
    case "denied":
      deps.log.warn("sign-in-denied", { login: proof.login.slice(0, 80), origin });
      return { kind: "refused", status: 401, text: WRONG };
    case "busy":
    case "unavailable":
      return { kind: "refused", status: 503, text: answer.text };
    default:
  }
  if (!("administratorId" in answer)) return { kind: "refused", status: 401, text: WRONG };
  return begin(deps, origin, asId<AdministratorId>(answer.administratorId));
}

async function begin(
  deps: AdminDeps,
  origin: string,
  administratorId: AdministratorId,
): Promise<SignInOutcome> {
  try {
    const context = { db: deps.db, actor: { kind: "system", what: "admin" } as const, origin };
    const begun = await beginSignIn(context, deps, { administratorId });
    const { login, tenantName } = begun.actor;
    return { kind: "begun", token: begun.token, expiresAt: begun.expiresAt, login, tenantName };
  } catch (error) {
    // Blocked meanwhile: a stranger learns no more than from a wrong password.
    if (isAppError(error) && error.code === "not-signed-in")
      return { kind: "refused", status: 401, text: WRONG };
    throw error;
  }
}
