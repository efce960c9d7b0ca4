/**
 * Signing in at the tenant's provider, and proving oneself there anew to unlock a desktop's screen: GET
 * /sign-in/oidc/begin and /unlock/begin send the browser away, GET /sign-in/oidc takes it when it is back. The code that it
 * brings is exchanged by auth; what must be remembered meanwhile is sealed by auth, in a cookie.
 */

import type { Handler } from "hono";
import { ButtonLink } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { Gate } from "../../ui/document.tsx";
import { Notice } from "../../ui/notice.tsx";
import type { AuthProof } from "../../wire/auth/messages.ts";
import { takeOidcCookie, writeOidcCookie, writeUserToken } from "./cookies.ts";
import type { GatewayDeps } from "./deps.ts";
import type { GatewayContext, GatewayEnv } from "./env.ts";
import { localPath } from "./local-path.ts";

const AWAY = "Your provider can't be asked at the moment. Try again in a minute.";
const NOBODY = "Whom your provider says you are has no desktops here, or may not sign in this way.";

export function beginOidc(deps: GatewayDeps, purpose: "sign-in" | "unlock"): Handler<GatewayEnv> {
  return async function sendToProvider(c) {
    const host = c.req.header("Host") ?? "";
    const tenant = purpose === "unlock" ? c.get("signedIn").actor.tenantName : (c.req.query("tenant") ?? "");
    const request = {
      kind: "begin-oidc",
      of: "user",
      tenant,
      // The provider sends browsers to addresses that were registered there, and to no other.
      redirectUri: `https://${host}/sign-in/oidc`,
      isFresh: purpose === "unlock",
      origin: c.env.address,
    } as const;
    const begun = await deps.auth.ask(request, c.req.raw.signal);
    if (begun.outcome !== "oidc-begun") return renderProblem(c, "text" in begun ? begun.text : AWAY, 503);
    const next = localPath(c.req.query("next"));
    writeOidcCookie(c, { purpose, next, ticket: begun.ticket });
    return c.redirect(begun.url, 303);
  };
}

export function endOidc(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function takeFromProvider(c) {
    const kept = takeOidcCookie(c);
    const query = new URL(c.req.url).search.slice(1);
    if (kept === undefined)
      return renderProblem(c, "It took too long, or your browser keeps no cookies.", 401);
    const proof = { kind: "oidc", ticket: kept.ticket, query } as const;
    return kept.purpose === "unlock"
      ? await showUnlockCode(deps, c, proof)
      : await begin(deps, c, { proof, next: kept.next });
  };
}

async function begin(
  deps: GatewayDeps,
  c: GatewayContext,
  { proof, next }: { readonly proof: AuthProof; readonly next: string },
) {
  const question = { kind: "user", login: "", proof, origin: c.env.address } as const;
  const answer = await deps.auth.verify(question, c.req.raw.signal);
  if (answer.outcome === "busy" || answer.outcome === "unavailable")
    return renderProblem(c, answer.text, 503);
  if (answer.outcome !== "accepted" || !("userId" in answer)) return renderProblem(c, NOBODY, 401);
  const begun = await deps.web.begin(answer.userId, c.env.address, answer.parameters);
  writeUserToken(c, begun.token);
  // No redirect: the browser is on its way from another site still, and would leave out a cookie that is for ours alone.
  c.header("Refresh", `0;url=${next}`);
  return c.html(
    <Gate title="You are signed in" theme="auto" assets={c.get("assets")}>
      <Card>
        <ButtonLink href={next} label="Go on" kind="main" />
      </Card>
    </Gate>,
  );
}

async function showUnlockCode(deps: GatewayDeps, c: GatewayContext, proof: AuthProof) {
  const request = { kind: "create-unlock-code", proof, origin: c.env.address } as const;
  const created = await deps.auth.ask(request, c.req.raw.signal);
  if (created.outcome !== "unlock-code-created")
    return renderProblem(c, "text" in created ? created.text : NOBODY, 401);
  return c.html(
    <Gate title="Unlock your screen" theme="auto" assets={c.get("assets")}>
      <Card>
        <p>Type this where your desktop asks for the password. It is good once, for two minutes.</p>
        <p>
          <code>{created.code}</code>
        </p>
        <ButtonLink href="/" label="Back to your desktops" />
      </Card>
    </Gate>,
  );
}

function renderProblem(c: GatewayContext, text: string, status: 401 | 503) {
  return c.html(
    <Gate title="Not signed in" theme="auto" assets={c.get("assets")}>
      <Card>
        <Notice tone="bad">{text}</Notice>
        <ButtonLink href="/sign-in" label="Back" kind="main" />
      </Card>
    </Gate>,
    status,
  );
}

/** The words of the sign-in page's button; undefined where there is no provider, or auth is away. */
export async function describeProvider(
  deps: GatewayDeps,
  c: GatewayContext,
  tenant = c.req.query("tenant") ?? "",
): Promise<string | undefined> {
  const request = { kind: "describe-oidc", of: "user", tenant, origin: c.env.address } as const;
  const described = await deps.auth.ask(request, c.req.raw.signal);
  return described.outcome === "oidc-described" ? described.label : undefined;
}
