/**
 * GET /account and what its forms post: administrators set up their second factor, renew its recovery codes, and remove
 * it. Each needs the password once more: an open browser is not enough.
 */

import type { Handler } from "hono";
import type { Child } from "hono/jsx";
import { readSecondFactorFacts } from "../../../db/queries/second-factors.ts";
import { SubmitButton } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
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
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { readForm } from "../../form.ts";
import { renderPage } from "../../render.tsx";
import { Narrow } from "../../ui/narrow.tsx";
import { PageHead } from "../../ui/page-head.tsx";

const DENIED = "That was not right. Check password and code, and try again; each code is good once.";
const REMOVED = "Your second factor is removed: your password alone counts now.";

export function showAccount(deps: AdminDeps): Handler<AdminEnv> {
  return (c) => renderForms(deps, c);
}

export function beginSecondFactor(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitPassword(c) {
    const begun = await ask(deps, c, "begin-enrolment");
    return begun.outcome === "enrolment-begun" ? renderSetUp(c, begun) : renderForms(deps, c, refusal(begun));
  };
}

export function confirmSecondFactor(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitCode(c) {
    const values = await readForm(c);
    const { code = "", "set-up": ticket = "" } = values;
    const origin = c.env?.address ?? "unknown";
    const done = await deps.auth.ask({ kind: "confirm-enrolment", ticket, code, origin }, c.req.raw.signal);
    if (done.outcome === "enrolled") return renderCodes(c, done.recoveryCodes);
    const setUp = readSetUp(values);
    return done.outcome === "denied" && setUp !== undefined
      ? renderSetUp(c, setUp, WRONG_FIRST_CODE)
      : renderForms(deps, c, refusal(done));
  };
}

export function renewRecoveryCodes(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitRenewal(c) {
    const done = await ask(deps, c, "renew-recovery-codes");
    return done.outcome === "codes-renewed"
      ? renderCodes(c, done.recoveryCodes)
      : renderForms(deps, c, refusal(done));
  };
}

export function removeSecondFactor(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitRemoval(c) {
    const done = await ask(deps, c, "remove-second-factor");
    const said: Said = done.outcome === "removed" ? { tone: "good", text: REMOVED } : refusal(done);
    return renderForms(deps, c, said);
  };
}

type Kind = "begin-enrolment" | "renew-recovery-codes" | "remove-second-factor";

async function ask(deps: AdminDeps, c: AdminContext, kind: Kind): Promise<AuthReply> {
  const { password = "", code = "" } = await readForm(c);
  const { login, tenantName: tenant } = c.get("signedIn").actor;
  const proof: AuthProof = {
    kind: "password",
    password,
    canAskForCode: true,
    ...(code === "" ? {} : { secondFactor: code }),
  };
  const origin = c.env?.address ?? "unknown";
  const request = { kind, of: "administrator", login, tenant, proof, origin } as const;
  return await deps.auth.ask(request, c.req.raw.signal);
}

function refusal(reply: AuthReply): Said {
  return { tone: "bad", text: "text" in reply ? reply.text : DENIED };
}

type Said = { readonly tone: "good" | "bad"; readonly text: string };

function render(c: AdminContext, content: Child, status: 200 | 422 = 200) {
  return renderPage(
    c,
    { title: "Your account", section: undefined, status },
    <Narrow>
      <PageHead
        title="Your account"
        lead="A second factor is a code from an app on your phone, asked for besides your password."
      />
      <div class="stack">{content}</div>
    </Narrow>,
  );
}

function renderCodes(c: AdminContext, codes: readonly string[]) {
  return render(
    c,
    <Card title="Your recovery codes">
      <RecoveryCodes codes={codes} next="/" />
    </Card>,
  );
}

function renderSetUp(c: AdminContext, setUp: SetUp, text?: string) {
  return render(
    c,
    <Card title="Set up a second factor">
      <PostForm action="/account/second-factor/confirm" csrf={c.get("signedIn").csrfToken}>
        <SetUpFields setUp={setUp} text={text} />
        <div class="actions">
          <SubmitButton label="Set up" kind="main" />
        </div>
      </PostForm>
    </Card>,
    text === undefined ? 200 : 422,
  );
}

async function renderForms(deps: AdminDeps, c: AdminContext, said?: Said) {
  const { actor, csrfToken: csrf } = c.get("signedIn");
  const facts = await readSecondFactorFacts(deps.db, { administratorId: actor.administratorId });
  return render(
    c,
    <>
      {said === undefined ? null : <Notice tone={said.tone}>{said.text}</Notice>}
      {facts === undefined ? (
        <Card title="Second factor" note="None is set up.">
          <ProofForm
            step={{
              ...step("begin", csrf),
              button: "Set up a second factor",
              kind: "main",
              isCodeAsked: false,
            }}
          />
        </Card>
      ) : (
        <>
          <Card
            title="New recovery codes"
            note={`${facts.recoveryCodesLeft} recovery codes are left; new ones take their place.`}
          >
            <ProofForm step={{ ...step("renew", csrf), button: "Make new codes", isCodeAsked: true }} />
          </Card>
          <Card title="Remove the second factor" note="Your password alone counts then.">
            <ProofForm
              step={{ ...step("remove", csrf), button: "Remove", kind: "danger", isCodeAsked: true }}
            />
          </Card>
        </>
      )}
    </>,
    said?.tone === "bad" ? 422 : 200,
  );
}

function step(name: "begin" | "renew" | "remove", csrf: string) {
  return { name, action: `/account/second-factor/${name}`, csrf };
}
