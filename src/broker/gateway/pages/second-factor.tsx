/**
 * GET /second-factor and what its forms post: people set up their second factor, renew its recovery codes, and remove it.
 * Each needs the password once more: an open browser is not enough. Also the set-up on the way in, where a site requires it.
 */

import type { Handler } from "hono";
import type { Child } from "hono/jsx";
import { SubmitButton } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { Gate } from "../../../ui/document.tsx";
import { PostForm } from "../../../ui/form.tsx";
import { Notice } from "../../../ui/notice.tsx";
import {
  ProofForm,
  RecoveryCodes,
  readSetUp,
  type SetUp,
  SetUpFields,
  WRONG_FIRST_CODE,
} from "../../../ui/second-factor.tsx";
import type { AuthProof } from "../../../wire/auth/messages.ts";
import type { AuthReply } from "../../../wire/auth/requests.ts";
import type { GatewayDeps } from "../deps.ts";
import type { GatewayContext, GatewayEnv } from "../env.ts";
import { renderUserPage } from "../frame.tsx";

const DENIED = "That was not right. Check password and code, and try again; each code is good once.";
const REMOVED = "Your second factor is removed: your password alone counts now.";

export function showSecondFactor(): Handler<GatewayEnv> {
  return (c) => renderForms(c);
}

export function beginSetUp(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function submitPassword(c) {
    const begun = await ask(deps, c, "begin-enrolment");
    return begun.outcome === "enrolment-begun" ? renderSetUp(c, begun) : renderForms(c, refusal(begun));
  };
}

export function confirmSetUp(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function submitCode(c) {
    const body = await c.req.parseBody();
    const ticket = String(body["set-up"] ?? "");
    const request = {
      kind: "confirm-enrolment",
      ticket,
      code: String(body.code ?? ""),
      origin: c.env.address,
    } as const;
    const done = await deps.auth.ask(request, c.req.raw.signal);
    if (done.outcome === "enrolled") return renderCodes(c, done.recoveryCodes);
    const setUp = readSetUp(body);
    return done.outcome === "denied" && setUp !== undefined
      ? renderSetUp(c, setUp, WRONG_FIRST_CODE)
      : renderForms(c, refusal(done));
  };
}

export function renewCodes(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function submitRenewal(c) {
    const done = await ask(deps, c, "renew-recovery-codes");
    return done.outcome === "codes-renewed"
      ? renderCodes(c, done.recoveryCodes)
      : renderForms(c, refusal(done));
  };
}

export function removeSecondFactor(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function submitRemoval(c) {
    const done = await ask(deps, c, "remove-second-factor");
    return renderForms(c, done.outcome === "removed" ? { tone: "good", text: REMOVED } : refusal(done));
  };
}

type Kind = "begin-enrolment" | "renew-recovery-codes" | "remove-second-factor";

async function ask(deps: GatewayDeps, c: GatewayContext, kind: Kind): Promise<AuthReply> {
  const body = await c.req.parseBody();
  const { login, tenantName: tenant } = c.get("signedIn").actor;
  const code = String(body.code ?? "");
  const proof: AuthProof = {
    kind: "password",
    password: String(body.password ?? ""),
    canAskForCode: true,
    ...(code === "" ? {} : { secondFactor: code }),
  };
  const person = { of: "user", login, tenant, proof, origin: c.env.address } as const;
  return await deps.auth.ask({ kind, ...person }, c.req.raw.signal);
}

function refusal(reply: AuthReply): Said {
  return { tone: "bad", text: "text" in reply ? reply.text : DENIED };
}

function renderCodes(c: GatewayContext, codes: readonly string[]) {
  return renderUserPage(
    c,
    "Your recovery codes",
    <Titled title="Your recovery codes">
      <Card>
        <RecoveryCodes codes={codes} next="/" />
      </Card>
    </Titled>,
  );
}

function renderSetUp(c: GatewayContext, setUp: SetUp, text?: string) {
  return renderUserPage(
    c,
    "Set up a second factor",
    <Titled title="Set up a second factor">
      <Card>
        <PostForm action="/second-factor/confirm" csrf={c.get("signedIn").csrfToken}>
          <SetUpFields setUp={setUp} text={text} />
          <div class="actions">
            <SubmitButton label="Set up" kind="main" />
          </div>
        </PostForm>
      </Card>
    </Titled>,
  );
}

type Said = { readonly tone: "good" | "bad"; readonly text: string };

/** The broker may not read who has one: all that can be done is offered, and auth says what can't. */
function renderForms(c: GatewayContext, said?: Said) {
  const csrf = c.get("signedIn").csrfToken;
  return renderUserPage(
    c,
    "Second factor",
    <Titled title="Second factor">
      {said === undefined ? null : <Notice tone={said.tone}>{said.text}</Notice>}
      <p>
        A code from an app on your phone, asked for besides your password. In a client with one field, type it
        right behind the password.
      </p>
      <Card title="Set one up">
        <ProofForm step={{ ...step("begin", csrf), button: "Set up", kind: "main", isCodeAsked: false }} />
      </Card>
      <Card title="New recovery codes" note="The old ones are good for nothing then.">
        <ProofForm step={{ ...step("renew", csrf), button: "Make new codes", isCodeAsked: true }} />
      </Card>
      <Card title="Remove it" note="Your password alone counts then.">
        <ProofForm step={{ ...step("remove", csrf), button: "Remove", kind: "danger", isCodeAsked: true }} />
      </Card>
    </Titled>,
  );
}

function step(name: "begin" | "renew" | "remove", csrf: string) {
  return { name, action: `/second-factor/${name}`, csrf };
}

function Titled(props: { readonly title: string; readonly children?: Child }) {
  return (
    <div class="stack">
      <h1>{props.title}</h1>
      {props.children}
    </div>
  );
}

/** The recovery codes of somebody who had to set up a second factor to get in, and is in now. */
export function renderFirstCodes(c: GatewayContext, codes: readonly string[], next: string) {
  return c.html(
    <Gate title="Your recovery codes" theme="auto" assets={c.get("assets")}>
      <Card>
        <RecoveryCodes codes={codes} next={next} />
      </Card>
    </Gate>,
  );
}
