/**
 * GET and POST /sign-in. The form is tied to the browser by a cookie, as there is no session to tie it to yet. Who has a
 * second factor is asked for its code in a step of its own, with a ticket of auth's that says that the password was right;
 * who needs one and has none sets it up on the way.
 */

import type { Handler } from "hono";
import { type AdministratorId, asId } from "../../../domain/ids.ts";
import { ButtonLink, SubmitButton } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { TextField } from "../../../ui/field.tsx";
import { CSRF_FIELD, PostForm } from "../../../ui/form.tsx";
import { Notice } from "../../../ui/notice.tsx";
import {
  CodeFields,
  RecoveryCodes,
  readSetUp,
  type SetUp,
  SetUpFields,
  WRONG_FIRST_CODE,
} from "../../../ui/second-factor.tsx";
import type { AuthProof } from "../../../wire/auth/messages.ts";
import { readGateToken, writeGateToken, writeSessionToken } from "../../cookies.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { readForm } from "../../form.ts";
import { requireOwnOrigin, requireToken } from "../../middleware/csrf.ts";
import { localPath } from "../../redirect.ts";
import { beginFor, type SignInOutcome, signInAdministrator } from "../../sign-in.ts";
import { Gate } from "../../ui/layout.tsx";

type Step =
  | { readonly kind: "password"; readonly login?: string; readonly text?: string }
  | { readonly kind: "code"; readonly ticket: string }
  | { readonly kind: "set-up"; readonly setUp: SetUp; readonly text?: string };

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
    return await answerSignIn(deps, c, {
      login,
      outcome: await signInAdministrator(deps, c, { login, proof }),
    });
  };
}

/** Shows what comes next, by whichever way the administrator came. */
export async function answerSignIn(
  deps: AdminDeps,
  c: AdminContext,
  { login, outcome }: { readonly login: string; readonly outcome: SignInOutcome },
): Promise<Response> {
  switch (outcome.kind) {
    case "refused":
      return await renderStep(deps, c, { kind: "password", login, text: outcome.text }, outcome.status);
    case "code-needed":
      if (outcome.isEnrolled) return await renderStep(deps, c, { kind: "code", ticket: outcome.ticket });
      return await beginSetUp(deps, c, outcome.ticket);
    case "begun":
      writeSessionToken(c, outcome.token);
      return c.redirect(localPath(c.req.query("next"), "/"), 303);
  }
}

async function beginSetUp(deps: AdminDeps, c: AdminContext, ticket: string): Promise<Response> {
  const proof = { kind: "second-factor", ticket, code: "" } as const;
  const origin = c.env?.address ?? "unknown";
  const request = { kind: "begin-enrolment", of: "administrator", login: "", proof, origin } as const;
  const begun = await deps.auth.ask(request, c.req.raw.signal);
  if (begun.outcome === "enrolment-begun") return await renderStep(deps, c, { kind: "set-up", setUp: begun });
  const text = "text" in begun ? begun.text : "It took too long. Sign in again.";
  return await renderStep(deps, c, { kind: "password", text }, 401);
}

/** POST /sign-in/set-up: the first code of a second factor that had to be set up; signs in as well. */
export function signInWithSetUp(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitSetUp(c) {
    const values = await readForm(c);
    requireOwnOrigin(c);
    requireToken(values[CSRF_FIELD], readGateToken(c));
    const { code = "", "set-up": ticket = "" } = values;
    const origin = c.env?.address ?? "unknown";
    const done = await deps.auth.ask({ kind: "confirm-enrolment", ticket, code, origin }, c.req.raw.signal);
    const setUp = readSetUp(values);
    if (done.outcome === "denied" && setUp !== undefined)
      return await renderStep(deps, c, { kind: "set-up", setUp, text: WRONG_FIRST_CODE }, 401);
    if (done.outcome !== "enrolled" || !("administratorId" in done.person)) {
      const text =
        "text" in done ? done.text : "That was not the code of this key. Sign in again for a new one.";
      return await renderStep(deps, c, { kind: "password", text }, 401);
    }
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
} as const satisfies Record<Step["kind"], string>;

async function renderStep(
  deps: AdminDeps,
  c: AdminContext,
  step: Step,
  status: Status = 200,
): Promise<Response> {
  const token = readGateToken(c) ?? deps.randomToken();
  writeGateToken(c, token);
  const next = localPath(c.req.query("next"), "/");
  const query = next === "/" ? "" : `?next=${encodeURIComponent(next)}`;
  const provider = step.kind === "password" ? await describeProvider(deps, c) : undefined;
  return c.html(
    <Gate title={TITLES[step.kind]} theme={c.get("theme")} assets={c.get("assets")}>
      <Card>
        <PostForm action={`${step.kind === "set-up" ? "/sign-in/set-up" : "/sign-in"}${query}`} csrf={token}>
          <Fields step={step} />
          <SubmitButton
            label={step.kind === "set-up" ? "Set up and sign in" : "Sign in"}
            kind="main"
            isWide
          />
        </PostForm>
        {provider === undefined ? null : (
          <ButtonLink href={`/sign-in/oidc/begin${query}`} label={`Sign in with ${provider}`} />
        )}
      </Card>
    </Gate>,
    status,
  );
}

function Fields({ step }: { readonly step: Step }) {
  switch (step.kind) {
    case "code":
      return <CodeFields ticket={step.ticket} />;
    case "set-up":
      return <SetUpFields setUp={step.setUp} text={step.text} />;
    case "password":
      return <PasswordFields step={step} />;
  }
}

function PasswordFields({ step }: { readonly step: Extract<Step, { kind: "password" }> }) {
  return (
    <>
      {step.text === undefined ? null : <Notice tone="bad">{step.text}</Notice>}
      <TextField
        name="login"
        label="Login"
        hint="Administrators of one tenant add it: name@tenant."
        value={step.login}
        autocomplete="username"
        isRequired
        isFirst
      />
      <TextField
        name="password"
        label="Password"
        type="password"
        autocomplete="current-password"
        isRequired
      />
    </>
  );
}

/** The words of the button; undefined where administrators have no provider, or auth is away. */
async function describeProvider(deps: AdminDeps, c: AdminContext): Promise<string | undefined> {
  const origin = c.env?.address ?? "unknown";
  const request = { kind: "describe-oidc", of: "administrator", tenant: "", origin } as const;
  const described = await deps.auth.ask(request, c.req.raw.signal);
  return described.outcome === "oidc-described" ? described.label : undefined;
}
