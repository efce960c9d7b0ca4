/**
 * GET and POST /sign-in. The form is tied to the browser by a cookie, as there is no session to tie it to yet. Who has a
 * second factor is asked for its code in a step of its own, with a ticket of auth's that says that the password was right;
 * who needs one and has none sets it up on the way.
 */

import type { Handler } from "hono";
import { type AdministratorId, asId } from "../../../domain/ids.ts";
import { Card } from "../../../ui/card.tsx";
import { CSRF_FIELD } from "../../../ui/form.tsx";
import { RecoveryCodes } from "../../../ui/second-factor.tsx";
import { setUpQuestion, stepAfterFirstCode, stepOfSetUp } from "../../../ui/set-up-on-the-way.ts";
import { SignInCard, type SignInStep } from "../../../ui/sign-in-card.tsx";
import type { AuthProof } from "../../../wire/auth/messages.ts";
import { readGateToken, writeGateToken, writeSessionToken } from "../../cookies.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { readForm } from "../../form.ts";
import { requireOwnOrigin, requireToken } from "../../middleware/csrf.ts";
import { localPath } from "../../redirect.ts";
import { beginFor, type SignInOutcome, signInAdministrator } from "../../sign-in.ts";
import { Gate } from "../../ui/layout.tsx";

type Status = 200 | 401 | 503;

export function showSignIn(deps: AdminDeps): Handler<AdminEnv> {
  return async function showForm(c) {
    return await renderStep(deps, c, { kind: "password" });
  };
}

export function signIn(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitForm(c) {
    const values = await readForm(c);
    requireOwnOrigin(c);
    requireToken(values[CSRF_FIELD], readGateToken(c));
    const { login = "", password = "", code = "", ticket } = values;
    const proof: AuthProof =
      ticket === undefined
        ? { kind: "password", password, canAskForCode: true }
        : { kind: "second-factor", ticket, code };
    const outcome = await signInAdministrator(deps, c, { login, proof });
    return await answerSignIn(deps, c, { login, ticket, outcome });
  };
}

/** Shows what comes next, by whichever way the administrator came. */
export async function answerSignIn(
  deps: AdminDeps,
  c: AdminContext,
  {
    login,
    ticket,
    outcome,
  }: {
    readonly login: string;
    /** Of the code's step. */
    readonly ticket?: string | undefined;
    readonly outcome: SignInOutcome;
  },
): Promise<Response> {
  switch (outcome.kind) {
    case "refused":
      return await renderStep(
        deps,
        c,
        ticket === undefined
          ? { kind: "password", login, text: outcome.text }
          : { kind: "code", ticket, login, text: outcome.text },
        outcome.status,
      );
    case "code-needed":
      if (outcome.isEnrolled)
        return await renderStep(deps, c, { kind: "code", ticket: outcome.ticket, login });
      return await beginSetUp(deps, c, outcome.ticket);
    case "begun":
      writeSessionToken(c, outcome.token);
      return c.redirect(localPath(c.req.query("next"), "/"), 303);
  }
}

async function beginSetUp(deps: AdminDeps, c: AdminContext, ticket: string): Promise<Response> {
  const question = setUpQuestion("administrator", ticket, c.env?.address ?? "unknown");
  const step = stepOfSetUp(
    await deps.auth.ask(question, c.req.raw.signal),
    "It took too long. Sign in again.",
  );
  return await renderStep(deps, c, step, step.kind === "set-up" ? 200 : 401);
}

const WRONG_KEY = "That was not the code of this key. Sign in again for a new one.";

/** POST /sign-in/set-up: the first code of a second factor that had to be set up; signs in as well. */
export function signInWithSetUp(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitSetUp(c) {
    const values = await readForm(c);
    requireOwnOrigin(c);
    requireToken(values[CSRF_FIELD], readGateToken(c));
    const { code = "", "set-up": ticket = "" } = values;
    const origin = c.env?.address ?? "unknown";
    const done = await deps.auth.ask({ kind: "confirm-enrolment", ticket, code, origin }, c.req.raw.signal);
    if (done.outcome !== "enrolled" || !("administratorId" in done.person))
      return await renderStep(deps, c, stepAfterFirstCode(done, values, WRONG_KEY), 401);
    const begun = await beginFor(deps, c, asId<AdministratorId>(done.person.administratorId));
    if (begun === undefined) return await renderStep(deps, c, { kind: "password" }, 401);
    writeSessionToken(c, begun.token);
    return c.html(
      <Gate title="Your recovery codes" theme={c.get("theme")} assets={c.get("assets")}>
        <Card>
          <RecoveryCodes codes={done.recoveryCodes} next={localPath(c.req.query("next"), "/")} />
        </Card>
      </Gate>,
    );
  };
}

const TITLES = {
  password: "Sign in to QVD",
  code: "Your code",
  "set-up": "Set up a second factor",
} as const satisfies Record<SignInStep["kind"], string>;

const LOGIN_HINT = "Administrators of one tenant add it: name@tenant.";

async function renderStep(
  deps: AdminDeps,
  c: AdminContext,
  step: SignInStep,
  status: Status = 200,
): Promise<Response> {
  const csrf = readGateToken(c) ?? deps.randomToken();
  writeGateToken(c, csrf);
  const next = localPath(c.req.query("next"), "/");
  const query = next === "/" ? "" : `?next=${encodeURIComponent(next)}`;
  const provider = step.kind === "password" ? await describeProvider(deps, c) : undefined;
  return c.html(
    <Gate title={TITLES[step.kind]} theme={c.get("theme")} assets={c.get("assets")}>
      <SignInCard step={step} csrf={csrf} query={query} loginHint={LOGIN_HINT} provider={provider} />
    </Gate>,
    status,
  );
}

async function describeProvider(deps: AdminDeps, c: AdminContext): Promise<string | undefined> {
  const origin = c.env?.address ?? "unknown";
  const request = { kind: "describe-oidc", of: "administrator", tenant: "", origin } as const;
  const described = await deps.auth.ask(request, c.req.raw.signal);
  return described.outcome === "oidc-described" ? described.label : undefined;
}
