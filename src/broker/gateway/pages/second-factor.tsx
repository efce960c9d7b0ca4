/**
 * GET /second-factor and what its forms post: people set up their second factor, renew its recovery codes, and remove it.
 * Also what is shown after the set-up on the way in, where a site requires it.
 */

import type { Child } from "hono/jsx";
import { AppError } from "../../../lib/errors.ts";
import { Card } from "../../../ui/card.tsx";
import { Gate } from "../../../ui/document.tsx";
import { RecoveryCodes } from "../../../ui/second-factor.tsx";
import type { SecondFactorAsker } from "../../../ui/second-factor-flow.ts";
import { type SecondFactorPages, secondFactorPages } from "../../../ui/second-factor-pages.tsx";
import type { GatewayDeps } from "../deps.ts";
import type { GatewayContext, GatewayEnv } from "../env.ts";
import { renderUserPage } from "../frame.tsx";

export function userSecondFactor(deps: GatewayDeps): SecondFactorPages<GatewayEnv> {
  return secondFactorPages({
    base: "/second-factor",
    csrfOf: (c) => c.get("signedIn").csrfToken,
    askerOf: (c) => askerOf(deps, c),
    describe: (c) => describe(deps, c),
    readForm: (c) => c.req.parseBody(),
    render,
  });
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

async function describe({ auth }: GatewayDeps, c: GatewayContext) {
  const { userId } = c.get("signedIn").actor;
  const request = { kind: "describe-second-factor", userId, origin: c.env.address } as const;
  const described = await auth.ask(request, c.req.raw.signal);
  if (described.outcome !== "second-factor-described")
    throw new AppError("unavailable", "text" in described ? described.text : "Second factors can't be read");
  return described;
}

function render(c: GatewayContext, content: Child, status: 200 | 422) {
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
    status,
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
