/**
 * GET /account and what its forms post: administrators set up their second factor, renew its recovery codes, and remove
 * it. Each needs the password once more: an open browser is not enough.
 */

import type { Handler } from "hono";
import type { Child } from "hono/jsx";
import { readSecondFactorFacts } from "../../../db/queries/second-factors.ts";
import {
  confirmSecondFactor as confirmSetUp,
  proveForSecondFactor,
  type SecondFactorAsker,
  type SecondFactorKind,
  type SecondFactorNext,
} from "../../../ui/second-factor-flow.ts";
import {
  SecondFactorForms,
  type SecondFactorSaid,
  SecondFactorStepCard,
} from "../../../ui/second-factor-forms.tsx";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { readForm } from "../../form.ts";
import { renderPage } from "../../render.tsx";
import { Narrow } from "../../ui/narrow.tsx";
import { PageHead } from "../../ui/page-head.tsx";

const BASE = "/account/second-factor";

export function showAccount(deps: AdminDeps): Handler<AdminEnv> {
  return (c) => renderForms(deps, c);
}

/** The forms that need nothing but a proof. */
export function changeSecondFactor(deps: AdminDeps, kind: SecondFactorKind): Handler<AdminEnv> {
  return async function submitProof(c) {
    const fields = await readForm(c);
    return renderNext(deps, c, await proveForSecondFactor(askerOf(deps, c), kind, fields));
  };
}

export function confirmSecondFactor(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitCode(c) {
    return renderNext(deps, c, await confirmSetUp(askerOf(deps, c), await readForm(c)));
  };
}

function askerOf({ auth }: AdminDeps, c: AdminContext): SecondFactorAsker {
  const { login, tenantName: tenant } = c.get("signedIn").actor;
  const origin = c.env?.address ?? "unknown";
  const { signal } = c.req.raw;
  return {
    ask: (kind, proof) => auth.ask({ kind, of: "administrator", login, tenant, proof, origin }, signal),
    confirm: (ticket, code) => auth.ask({ kind: "confirm-enrolment", ticket, code, origin }, signal),
  };
}

function renderNext(deps: AdminDeps, c: AdminContext, next: SecondFactorNext) {
  if (next.kind === "said") return renderForms(deps, c, next.said);
  const csrf = c.get("signedIn").csrfToken;
  const isWrong = next.kind === "set-up" && next.text !== undefined;
  return render(c, <SecondFactorStepCard base={BASE} csrf={csrf} step={next} />, isWrong ? 422 : 200);
}

async function renderForms(deps: AdminDeps, c: AdminContext, said?: SecondFactorSaid) {
  const { actor, csrfToken: csrf } = c.get("signedIn");
  const facts = await readSecondFactorFacts(deps.db, { administratorId: actor.administratorId });
  const recoveryCodesLeft = facts?.recoveryCodesLeft;
  const view = { base: BASE, csrf, canSetUp: facts === undefined, recoveryCodesLeft, said };
  return render(c, <SecondFactorForms view={view} />, said?.tone === "bad" ? 422 : 200);
}

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
