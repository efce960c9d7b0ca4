/**
 * GET /second-factor and what its forms post: people set up their second factor, renew its recovery codes, and remove it.
 * Each needs the password once more: an open browser is not enough. Also the set-up on the way in, where a site requires it.
 */

import type { Handler } from "hono";
import type { Child } from "hono/jsx";
import { AppError } from "../../../lib/errors.ts";
import { Card } from "../../../ui/card.tsx";
import { Gate } from "../../../ui/document.tsx";
import { RecoveryCodes } from "../../../ui/second-factor.tsx";
import {
  confirmSecondFactor,
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
import type { GatewayDeps } from "../deps.ts";
import type { GatewayContext, GatewayEnv } from "../env.ts";
import { renderUserPage } from "../frame.tsx";

const BASE = "/second-factor";

export function showSecondFactor(deps: GatewayDeps): Handler<GatewayEnv> {
  return (c) => renderForms(deps, c);
}

/** The forms that need nothing but a proof. */
export function changeSecondFactor(deps: GatewayDeps, kind: SecondFactorKind): Handler<GatewayEnv> {
  return async function submitProof(c) {
    const fields = await c.req.parseBody();
    return renderNext(deps, c, await proveForSecondFactor(askerOf(deps, c), kind, fields));
  };
}

export function confirmSetUp(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function submitCode(c) {
    const fields = await c.req.parseBody();
    return renderNext(deps, c, await confirmSecondFactor(askerOf(deps, c), fields));
  };
}

function askerOf({ auth }: GatewayDeps, c: GatewayContext): SecondFactorAsker {
  const { login, tenantName: tenant } = c.get("signedIn").actor;
  const origin = c.env.address;
  const { signal } = c.req.raw;
  return {
    ask: (kind, proof) => auth.ask({ kind, of: "user", login, tenant, proof, origin }, signal),
    confirm: (ticket, code) => auth.ask({ kind: "confirm-enrolment", ticket, code, origin }, signal),
  };
}

function renderNext(deps: GatewayDeps, c: GatewayContext, next: SecondFactorNext) {
  if (next.kind === "said") return renderForms(deps, c, next.said);
  const csrf = c.get("signedIn").csrfToken;
  return render(c, <SecondFactorStepCard base={BASE} csrf={csrf} step={next} />);
}

async function renderForms(deps: GatewayDeps, c: GatewayContext, said?: SecondFactorSaid) {
  const { actor, csrfToken: csrf } = c.get("signedIn");
  const request = { kind: "describe-second-factor", userId: actor.userId, origin: c.env.address } as const;
  const described = await deps.auth.ask(request, c.req.raw.signal);
  if (described.outcome !== "second-factor-described")
    throw new AppError("unavailable", "text" in described ? described.text : "Second factors can't be read");
  const { canSetUp, recoveryCodesLeft } = described;
  return render(c, <SecondFactorForms view={{ base: BASE, csrf, canSetUp, recoveryCodesLeft, said }} />);
}

function render(c: GatewayContext, content: Child) {
  return renderUserPage(
    c,
    "Second factor",
    <div class="stack">
      <h1>Second factor</h1>
      <p>
        A code from an app on your phone, asked for besides your password. In a client with one field, type it
        right behind the password.
      </p>
      {content}
    </div>,
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
