/** GET /account and what its forms post: administrators set up their second factor, renew its recovery codes, and remove it. */

import type { Child } from "hono/jsx";
import { readSecondFactorFacts } from "../../../db/queries/second-factors.ts";
import type { SecondFactorAsker } from "../../../ui/second-factor-flow.ts";
import { type SecondFactorPages, secondFactorPages } from "../../../ui/second-factor-pages.tsx";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { readForm } from "../../form.ts";
import { renderPage } from "../../render.tsx";
import { Narrow } from "../../ui/narrow.tsx";
import { PageHead } from "../../ui/page-head.tsx";

export function ownSecondFactor(deps: AdminDeps): SecondFactorPages<AdminEnv> {
  return secondFactorPages({
    base: "/account/second-factor",
    csrfOf: (c) => c.get("signedIn").csrfToken,
    askerOf: (c) => askerOf(deps, c),
    describe: async (c) => {
      const { administratorId } = c.get("signedIn").actor;
      const facts = await readSecondFactorFacts(deps.db, { administratorId });
      return { ...facts, canSetUp: facts === undefined };
    },
    readForm,
    render,
  });
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

function render(c: AdminContext, content: Child, status: 200 | 422) {
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
