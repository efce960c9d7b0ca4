/**
 * GET /account and what its forms post: administrators set up their second factor, renew its recovery codes, and remove
 * it. Each needs the password once more: an open browser is not enough.
 */

import type { Handler } from "hono";
import type { Child } from "hono/jsx";
import { readSecondFactorFacts } from "../../../db/queries/second-factors.ts";
import { ButtonLink, SubmitButton } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { TextField } from "../../../ui/field.tsx";
import { PostForm } from "../../../ui/form.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { RecoveryCodes, SetUpFields } from "../../../ui/second-factor.tsx";
import type { AuthProof } from "../../../wire/auth/messages.ts";
import type { AuthReply } from "../../../wire/auth/requests.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { readForm } from "../../form.ts";
import { renderPage } from "../../render.tsx";
import { PageHead } from "../../ui/page-head.tsx";

const DENIED = "That was not right. Check it and try again.";

export function showAccount(deps: AdminDeps): Handler<AdminEnv> {
  return (c) => renderForms(deps, c, undefined);
}

export function beginSecondFactor(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitPassword(c) {
    const begun = await ask(deps, c, "begin-enrolment");
    if (begun.outcome !== "enrolment-begun") return renderForms(deps, c, textOf(begun));
    return render(
      c,
      <PostForm action="/account/second-factor/confirm" csrf={c.get("signedIn").csrfToken}>
        <SetUpFields setUp={begun} />
        <SubmitButton label="Set up" kind="main" />
      </PostForm>,
    );
  };
}

export function confirmSecondFactor(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitCode(c) {
    const { code = "", "set-up": ticket = "" } = await readForm(c);
    const origin = c.env?.address ?? "unknown";
    const done = await deps.auth.ask({ kind: "confirm-enrolment", ticket, code, origin }, c.req.raw.signal);
    return done.outcome === "enrolled"
      ? renderCodes(c, done.recoveryCodes)
      : renderForms(deps, c, textOf(done));
  };
}

export function renewRecoveryCodes(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitRenewal(c) {
    const done = await ask(deps, c, "renew-recovery-codes");
    return done.outcome === "codes-renewed"
      ? renderCodes(c, done.recoveryCodes)
      : renderForms(deps, c, textOf(done));
  };
}

export function removeSecondFactor(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitRemoval(c) {
    const done = await ask(deps, c, "remove-second-factor");
    return renderForms(deps, c, done.outcome === "removed" ? undefined : textOf(done));
  };
}

type Kind = "begin-enrolment" | "renew-recovery-codes" | "remove-second-factor";

async function ask(deps: AdminDeps, c: AdminContext, kind: Kind): Promise<AuthReply> {
  const { password = "", code = "" } = await readForm(c);
  const { login, tenantName } = c.get("signedIn").actor;
  const proof: AuthProof = {
    kind: "password",
    password,
    canAskForCode: true,
    ...(code === "" ? {} : { secondFactor: code }),
  };
  const origin = c.env?.address ?? "unknown";
  const named = tenantName === "*" ? login : `${login}@${tenantName}`;
  const request = { kind, of: "administrator", login: named, proof, origin } as const;
  return await deps.auth.ask(request, c.req.raw.signal);
}

function textOf(reply: AuthReply): string {
  return "text" in reply ? reply.text : DENIED;
}

function render(c: AdminContext, content: Child, status: 200 | 422 = 200) {
  return renderPage(
    c,
    { title: "Your account", section: undefined, status },
    <>
      <PageHead
        title="Your account"
        lead="A second factor is a code of your phone, asked for besides your password."
      />
      <Card title="Second factor">{content}</Card>
    </>,
  );
}

function renderCodes(c: AdminContext, codes: readonly string[]) {
  return render(
    c,
    <>
      <RecoveryCodes codes={codes} />
      <ButtonLink href="/" label="I have kept them" kind="main" />
    </>,
  );
}

async function renderForms(deps: AdminDeps, c: AdminContext, text: string | undefined) {
  const { actor, csrfToken: csrf } = c.get("signedIn");
  const facts = await readSecondFactorFacts(deps.db, { administratorId: actor.administratorId });
  return render(
    c,
    <>
      {text === undefined ? null : <Notice tone="bad">{text}</Notice>}
      {facts === undefined ? (
        <PostForm action="/account/second-factor/begin" csrf={csrf}>
          <Password form="begin" />
          <SubmitButton label="Set up a second factor" kind="main" />
        </PostForm>
      ) : (
        <>
          <p>{`It is set up. ${facts.recoveryCodesLeft} recovery codes are left.`}</p>
          <PostForm action="/account/second-factor/renew" csrf={csrf}>
            <Password form="renew" />
            <Code form="renew" />
            <SubmitButton label="New recovery codes" />
          </PostForm>
          <PostForm action="/account/second-factor/remove" csrf={csrf}>
            <Password form="remove" />
            <Code form="remove" />
            <SubmitButton label="Remove" kind="danger" />
          </PostForm>
        </>
      )}
    </>,
    text === undefined ? 200 : 422,
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
