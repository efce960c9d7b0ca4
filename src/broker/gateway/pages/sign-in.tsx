/**
 * GET and POST /sign-in, POST /sign-out. The form is tied to the browser by a cookie, as there is no session to tie it
 * to yet. Who has a second factor is asked for its code in a step of its own, with a ticket of auth's that says that
 * the password was right.
 */

import type { Handler } from "hono";
import { isAppError } from "../../../lib/errors.ts";
import { SubmitButton } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { Gate } from "../../../ui/document.tsx";
import { TextField } from "../../../ui/field.tsx";
import { requireOwnOrigin, requireToken } from "../../../ui/forgery.ts";
import { CSRF_FIELD, PostForm } from "../../../ui/form.tsx";
import { Notice } from "../../../ui/notice.tsx";
import type { AuthAnswer, AuthProof } from "../../../wire/auth/messages.ts";
import { clearUserToken, readGateToken, readUserToken, writeGateToken, writeUserToken } from "../cookies.ts";
import type { GatewayDeps } from "../deps.ts";
import type { GatewayContext, GatewayEnv } from "../env.ts";
import { randomWebToken } from "../web-store.ts";

const WRONG = "This login and password don't belong together. Check both and try again.";
const WRONG_CODE = "This code is not right, or too old. Sign in again.";
const NOT_ENROLLED =
  "Your site asks for a second factor, and you have none yet. Ask your administrator how to enrol one.";

/** A page of ours, never another site's: `//host` and `/\host` are what browsers take for one. */
function localPath(wanted: string | undefined): string {
  return wanted !== undefined && /^\/(?![/\\])[^\\\s]*$/.test(wanted) ? wanted : "/";
}

type Step =
  | { readonly kind: "password"; readonly login?: string; readonly text?: string }
  | { readonly kind: "code"; readonly ticket: string };

export function showSignIn(): Handler<GatewayEnv> {
  return (c) => renderStep(c, { kind: "password" });
}

export function signIn(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function submitSignIn(c) {
    const body = await c.req.parseBody();
    const field = (name: string) => (typeof body[name] === "string" ? body[name] : "");
    requireOwnOrigin(c.req.raw);
    requireToken(field(CSRF_FIELD), readGateToken(c));
    const ticket = field("ticket");
    const login = field("login");
    const proof: AuthProof =
      ticket === ""
        ? { kind: "password", password: field("password"), canAskForCode: true }
        : { kind: "second-factor", ticket, code: field("code") };
    const question = { kind: "user", login, proof, origin: c.env.address } as const;
    const answer = await deps.auth.verify(question, c.req.raw.signal);
    const userId = answer.outcome === "accepted" && "userId" in answer ? answer.userId : undefined;
    if (userId === undefined) return refuse(c, answer, { login, isCode: ticket !== "" });
    return begin(deps, c, userId);
  };
}

async function begin(deps: GatewayDeps, c: GatewayContext, userId: number) {
  try {
    const begun = await deps.web.begin(userId, c.env.address);
    writeUserToken(c, begun.token);
    return c.redirect(localPath(c.req.query("next")), 303);
  } catch (error) {
    // Blocked meanwhile: a stranger learns no more than from a wrong password.
    if (isAppError(error) && error.code === "not-signed-in")
      return renderStep(c, { kind: "password", text: WRONG }, 401);
    throw error;
  }
}

function refuse(
  c: GatewayContext,
  answer: AuthAnswer,
  { login, isCode }: { readonly login: string; readonly isCode: boolean },
) {
  switch (answer.outcome) {
    case "second-factor-needed":
      if (!answer.isEnrolled) return renderStep(c, { kind: "password", login, text: NOT_ENROLLED }, 401);
      return renderStep(c, { kind: "code", ticket: answer.ticket });
    case "busy":
    case "unavailable":
      return renderStep(c, { kind: "password", login, text: answer.text }, 503);
    default:
      return renderStep(c, { kind: "password", login, text: isCode ? WRONG_CODE : WRONG }, 401);
  }
}

export function signOut(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function submitSignOut(c) {
    const token = readUserToken(c);
    if (token !== undefined) await deps.web.end(token);
    clearUserToken(c);
    return c.redirect("/sign-in", 303);
  };
}

function renderStep(c: GatewayContext, step: Step, status: 200 | 401 | 503 = 200) {
  const token = readGateToken(c) ?? randomWebToken();
  writeGateToken(c, token);
  const next = localPath(c.req.query("next"));
  return c.html(
    <Gate title={step.kind === "code" ? "Your code" : "Your desktops"} theme="auto" assets={c.get("assets")}>
      <Card>
        <PostForm
          action={next === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(next)}`}
          csrf={token}
        >
          {step.kind === "code" ? <CodeFields ticket={step.ticket} /> : <PasswordFields step={step} />}
        </PostForm>
      </Card>
    </Gate>,
    status,
  );
}

function PasswordFields(props: { readonly step: Extract<Step, { kind: "password" }> }) {
  const { login, text } = props.step;
  return (
    <>
      {text === undefined ? null : <Notice tone="bad">{text}</Notice>}
      <TextField name="login" label="Login" value={login} autocomplete="username" isRequired isFirst />
      <TextField
        name="password"
        label="Password"
        type="password"
        autocomplete="current-password"
        isRequired
      />
      <SubmitButton label="Sign in" kind="main" isWide />
    </>
  );
}

function CodeFields(props: { readonly ticket: string }) {
  return (
    <>
      <input type="hidden" name="ticket" value={props.ticket} />
      <TextField
        name="code"
        label="Code"
        hint="From your authenticator app, or one of your recovery codes."
        autocomplete="one-time-code"
        isRequired
        isFirst
      />
      <SubmitButton label="Sign in" kind="main" isWide />
    </>
  );
}
