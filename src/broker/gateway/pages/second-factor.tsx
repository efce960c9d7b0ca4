/**
 * GET /second-factor and what its forms post: people set up their second factor, renew its recovery codes, and remove it.
 * Each needs the password once more: an open browser is not enough. Also the set-up on the way in, where a site requires it.
 */

import type { Handler } from "hono";
import type { Child } from "hono/jsx";
import { ButtonLink, SubmitButton } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { Gate } from "../../../ui/document.tsx";
import { TextField } from "../../../ui/field.tsx";
import { PostForm } from "../../../ui/form.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { RecoveryCodes, SetUpFields } from "../../../ui/second-factor.tsx";
import type { AuthProof } from "../../../wire/auth/messages.ts";
import type { AuthReply } from "../../../wire/auth/requests.ts";
import type { GatewayDeps } from "../deps.ts";
import type { GatewayContext, GatewayEnv } from "../env.ts";
import { renderUserPage } from "../frame.tsx";

const DENIED = "That was not right. Check it and try again.";

export function showSecondFactor(): Handler<GatewayEnv> {
  return (c) => renderForms(c, undefined);
}

export function beginSetUp(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function submitPassword(c) {
    const begun = await ask(deps, c, "begin-enrolment");
    if (begun.outcome !== "enrolment-begun") return renderForms(c, textOf(begun));
    return renderUserPage(
      c,
      "Set up a second factor",
      <Titled title="Set up a second factor">
        <PostForm action="/second-factor/confirm" csrf={c.get("signedIn").csrfToken}>
          <SetUpFields setUp={begun} />
          <SubmitButton label="Set up" kind="main" />
        </PostForm>
      </Titled>,
    );
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
    return done.outcome === "enrolled" ? renderCodes(c, done.recoveryCodes) : renderForms(c, textOf(done));
  };
}

export function renewCodes(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function submitRenewal(c) {
    const done = await ask(deps, c, "renew-recovery-codes");
    return done.outcome === "codes-renewed"
      ? renderCodes(c, done.recoveryCodes)
      : renderForms(c, textOf(done));
  };
}

export function removeSecondFactor(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function submitRemoval(c) {
    const done = await ask(deps, c, "remove-second-factor");
    return renderForms(c, done.outcome === "removed" ? undefined : textOf(done));
  };
}

type Kind = "begin-enrolment" | "renew-recovery-codes" | "remove-second-factor";

async function ask(deps: GatewayDeps, c: GatewayContext, kind: Kind): Promise<AuthReply> {
  const body = await c.req.parseBody();
  const { login, tenantName } = c.get("signedIn").actor;
  const code = String(body.code ?? "");
  const proof: AuthProof = {
    kind: "password",
    password: String(body.password ?? ""),
    canAskForCode: true,
    ...(code === "" ? {} : { secondFactor: code }),
  };
  const person = { of: "user", login: `${login}@${tenantName}`, proof, origin: c.env.address } as const;
  return await deps.auth.ask({ kind, ...person }, c.req.raw.signal);
}

function textOf(reply: AuthReply): string {
  return "text" in reply ? reply.text : DENIED;
}

function renderCodes(c: GatewayContext, codes: readonly string[]) {
  return renderUserPage(
    c,
    "Your recovery codes",
    <Titled title="Your recovery codes">
      <RecoveryCodes codes={codes} />
      <ButtonLink href="/" label="I have kept them" kind="main" />
    </Titled>,
  );
}

function renderForms(c: GatewayContext, text: string | undefined) {
  const csrf = c.get("signedIn").csrfToken;
  return renderUserPage(
    c,
    "Second factor",
    <Titled title="Second factor">
      {text === undefined ? null : <Notice tone="bad">{text}</Notice>}
      <p>
        A code from your phone, asked for besides your password. In a client with one field, type it behind
        the password.
      </p>
      <PostForm action="/second-factor/begin" csrf={csrf}>
        <Password form="begin" />
        <SubmitButton label="Set up" kind="main" />
      </PostForm>
      <h2>If you have one</h2>
      <PostForm action="/second-factor/renew" csrf={csrf}>
        <Password form="renew" />
        <Code form="renew" />
        <SubmitButton label="New recovery codes" />
      </PostForm>
      <PostForm action="/second-factor/remove" csrf={csrf}>
        <Password form="remove" />
        <Code form="remove" />
        <SubmitButton label="Remove" />
      </PostForm>
    </Titled>,
  );
}

function Titled(props: { readonly title: string; readonly children?: Child }) {
  return (
    <>
      <h1 class="portal-title">{props.title}</h1>
      <Card>{props.children}</Card>
    </>
  );
}

/** A page has several forms with a password. */
type InForm = { readonly form: string };

function Password({ form }: InForm) {
  return (
    <TextField
      name="password"
      idPrefix={`${form}-`}
      label="Password"
      type="password"
      autocomplete="current-password"
      isRequired
    />
  );
}

function Code({ form }: InForm) {
  return <TextField name="code" idPrefix={`${form}-`} label="Code" autocomplete="one-time-code" isRequired />;
}

/** The recovery codes of somebody who had to set up a second factor to get in, and is in now. */
export function renderFirstCodes(c: GatewayContext, codes: readonly string[], next: string) {
  return c.html(
    <Gate title="Your recovery codes" theme="auto" assets={c.get("assets")}>
      <Card>
        <RecoveryCodes codes={codes} />
        <ButtonLink href={next} label="I have kept them" kind="main" />
      </Card>
    </Gate>,
  );
}
