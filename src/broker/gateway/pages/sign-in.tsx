/**
 * GET and POST /sign-in, POST /sign-out. The form is tied to the browser by a cookie, as there is no session to tie it
 * to yet. Who has a second factor is asked for its code in a step of its own, with a ticket of auth's that says that
 * the password was right.
 */

import type { Handler } from "hono";
import type { GivenParameters } from "../../../domain/session/client-parameters.ts";
import { isAppError } from "../../../lib/errors.ts";
import { Gate } from "../../../ui/document.tsx";
import { requireOwnOrigin, requireToken } from "../../../ui/forgery.ts";
import { CSRF_FIELD } from "../../../ui/form.tsx";
import { setUpQuestion, stepAfterFirstCode, stepOfSetUp } from "../../../ui/set-up-on-the-way.ts";
import { SignInCard, type SignInStep, WRONG_CODE } from "../../../ui/sign-in-card.tsx";
import type { AuthAnswer, AuthProof } from "../../../wire/auth/messages.ts";
import { clearUserToken, readGateToken, writeGateToken, writeUserToken } from "../cookies.ts";
import type { GatewayDeps } from "../deps.ts";
import type { GatewayContext, GatewayEnv } from "../env.ts";
import { localPath } from "../local-path.ts";
import { describeProvider } from "../oidc.tsx";
import { randomWebToken } from "../web-store.ts";
import { renderFirstCodes } from "./second-factor.tsx";

/** In a crowd, on the open page; with what auth itself takes it ends before `answerMs`. */
const MAY_WAIT_MS = 45_000;
const WRONG = "This login and password don't belong together. Check both and try again.";
export function showSignIn(deps: GatewayDeps): Handler<GatewayEnv> {
  return (c) => renderStep(deps, c, { kind: "password" });
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
    const { address: origin } = c.env;
    const question = { kind: "user", login, proof, origin, mayWaitMs: MAY_WAIT_MS } as const;
    const answer = await deps.auth.verify(question, c.req.raw.signal);
    if (answer.outcome !== "accepted" || !("userId" in answer))
      return refuse(deps, c, { answer, login, ticket });
    return begin(deps, c, answer);
  };
}

async function begin(
  deps: GatewayDeps,
  c: GatewayContext,
  person: { readonly userId: number; readonly parameters?: GivenParameters | undefined },
) {
  try {
    const begun = await deps.web.begin(person.userId, c.env.address, person.parameters);
    writeUserToken(c, begun.token);
    return c.redirect(localPath(c.req.query("next")), 303);
  } catch (error) {
    // Blocked meanwhile: a stranger learns no more than from a wrong password.
    if (isAppError(error) && error.code === "not-signed-in")
      return renderStep(deps, c, { kind: "password", text: WRONG }, 401);
    throw error;
  }
}

async function refuse(
  deps: GatewayDeps,
  c: GatewayContext,
  { answer, login, ticket }: { readonly answer: AuthAnswer; readonly login: string; readonly ticket: string },
) {
  switch (answer.outcome) {
    case "second-factor-needed":
      if (!answer.isEnrolled) return await beginSetUp(deps, c, answer.ticket);
      return renderStep(deps, c, { kind: "code", ticket: answer.ticket, login });
    case "busy":
    case "unavailable":
      if (answer.retryMs !== undefined) c.header("Retry-After", `${Math.ceil(answer.retryMs / 1_000)}`);
      return renderStep(deps, c, { ...again(ticket, login), text: answer.text }, 503);
    default:
      return renderStep(deps, c, { ...again(ticket, login), text: ticket === "" ? WRONG : WRONG_CODE }, 401);
  }
}

/** The step that was sent, with nothing lost that was typed but what proves. */
function again(ticket: string, login: string): SignInStep {
  return ticket === "" ? { kind: "password", login } : { kind: "code", ticket, login };
}

/** Their site requires a second factor, and they have none: they set one up on the way in. */
async function beginSetUp(deps: GatewayDeps, c: GatewayContext, ticket: string) {
  const question = setUpQuestion("user", ticket, c.env.address);
  const step = stepOfSetUp(await deps.auth.ask(question, c.req.raw.signal), WRONG);
  return renderStep(deps, c, step, step.kind === "set-up" ? 200 : 401);
}

/** POST /sign-in/set-up: the first code of it; signs in as well. */
export function signInWithSetUp(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function submitSetUp(c) {
    const body = await c.req.parseBody();
    const field = (name: string) => (typeof body[name] === "string" ? body[name] : "");
    requireOwnOrigin(c.req.raw);
    requireToken(field(CSRF_FIELD), readGateToken(c));
    const request = {
      kind: "confirm-enrolment",
      ticket: field("set-up"),
      code: field("code"),
      origin: c.env.address,
    } as const;
    const done = await deps.auth.ask(request, c.req.raw.signal);
    if (done.outcome !== "enrolled" || !("userId" in done.person))
      return renderStep(deps, c, stepAfterFirstCode(done, body, WRONG_CODE), 401);
    const begun = await deps.web.begin(done.person.userId, c.env.address, done.parameters);
    writeUserToken(c, begun.token);
    return renderFirstCodes(c, done.recoveryCodes, localPath(c.req.query("next")));
  };
}

export function signOut(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function submitSignOut(c) {
    const { actor, token } = c.get("signedIn");
    await deps.web.end(token);
    deps.sockets.end(token);
    // Desktops of this sign-in may be open at other workers and boxes.
    for (const { id } of await deps.store.listDesktops(actor.userId)) deps.wake(id);
    clearUserToken(c);
    return c.redirect("/sign-in", 303);
  };
}

async function renderStep(
  deps: GatewayDeps,
  c: GatewayContext,
  step: SignInStep,
  status: 200 | 401 | 503 = 200,
) {
  const csrf = readGateToken(c) ?? randomWebToken();
  writeGateToken(c, csrf);
  const next = localPath(c.req.query("next"));
  const query = next === "/" ? "" : `?next=${encodeURIComponent(next)}`;
  const provider = step.kind === "password" ? await describeProvider(deps, c) : undefined;
  return c.html(
    <Gate title={TITLES[step.kind]} theme="auto" assets={c.get("assets")}>
      <SignInCard step={step} csrf={csrf} query={query} provider={provider} triesAgain />
    </Gate>,
    status,
  );
}

const TITLES = {
  password: "Your desktops",
  code: "Your code",
  "set-up": "Set up a second factor",
} as const satisfies Record<SignInStep["kind"], string>;
