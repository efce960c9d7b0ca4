/** GET /sign-in/oidc/begin sends the browser to the site's provider; GET /sign-in/oidc takes it when it is back. */

import type { Handler } from "hono";
import { clearOidcTicket, readOidcTicket, writeOidcTicket } from "../../cookies.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminEnv } from "../../env.ts";
import { signInAdministrator } from "../../sign-in.ts";
import { answerSignIn } from "./sign-in.tsx";

export function beginOidc(deps: AdminDeps): Handler<AdminEnv> {
  return async function sendToProvider(c) {
    const redirectUri = new URL("/sign-in/oidc", c.req.url).href;
    const begun = await deps.auth.ask(
      {
        kind: "begin-oidc",
        of: "administrator",
        tenant: c.req.query("tenant") ?? "",
        redirectUri,
        isFresh: false,
        origin: c.env?.address ?? "unknown",
      },
      c.req.raw.signal,
    );
    if (begun.outcome === "oidc-begun") {
      writeOidcTicket(c, begun.ticket);
      return c.redirect(begun.url, 303);
    }
    const text = "text" in begun ? begun.text : "Your provider can't be asked at the moment.";
    return await answerSignIn(deps, c, { login: "", outcome: { kind: "refused", status: 503, text } });
  };
}

export function endOidc(deps: AdminDeps): Handler<AdminEnv> {
  return async function takeFromProvider(c) {
    const ticket = readOidcTicket(c);
    clearOidcTicket(c);
    const query = new URL(c.req.url).search.slice(1);
    const proof = { kind: "oidc", ticket: ticket ?? "", query } as const;
    return await answerSignIn(deps, c, {
      login: "",
      outcome: await signInAdministrator(deps, c, { login: "", proof }),
    });
  };
}
