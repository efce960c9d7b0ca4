/**
 * Cookies of users on the QVD port. Browsers keep cookies by host and not by port, so their names differ from the
 * WAT's. The `__Host-` prefix makes browsers refuse them from anyone but this host over TLS.
 */

import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { GatewayContext } from "./env.ts";
import { localPath } from "./local-path.ts";

const SESSION = "__Host-qvd-user";
const GATE = "__Host-qvd-user-gate";

const OIDC = "__Host-qvd-user-oidc";
const OIDC_SECONDS = 900;

const SAFE = { path: "/", secure: true, httpOnly: true, sameSite: "Strict" } as const;

export function readUserToken(c: GatewayContext): string | undefined {
  return getCookie(c, SESSION);
}

/** Lives as long as the browser; the server's side ends by itself. */
export function writeUserToken(c: GatewayContext, token: string): void {
  setCookie(c, SESSION, token, SAFE);
}

export function clearUserToken(c: GatewayContext): void {
  deleteCookie(c, SESSION, SAFE);
}

/** The token that ties the sign-in form to the browser that asked for it, as there is no session yet. */
export function readGateToken(c: GatewayContext): string | undefined {
  return getCookie(c, GATE);
}

export function writeGateToken(c: GatewayContext, token: string): void {
  setCookie(c, GATE, token, SAFE);
}

/** What waits here while the browser is at its provider. */
export type OidcKept = {
  readonly purpose: "sign-in" | "unlock";
  readonly next: string;
  readonly ticket: string;
};

/** It comes back by a link of the provider's, with which browsers send no `Strict` cookies. */
export function writeOidcCookie(c: GatewayContext, { purpose, next, ticket }: OidcKept): void {
  const value = [purpose, Buffer.from(next).toString("base64url"), ticket].join(".");
  setCookie(c, OIDC, value, { ...SAFE, sameSite: "Lax", maxAge: OIDC_SECONDS });
}

/** Reads and forgets. */
export function takeOidcCookie(c: GatewayContext): OidcKept | undefined {
  const [purpose, next, ticket] = (getCookie(c, OIDC) ?? "").split(".");
  deleteCookie(c, OIDC, SAFE);
  if (next === undefined || ticket === undefined) return undefined;
  if (purpose !== "sign-in" && purpose !== "unlock") return undefined;
  return { purpose, next: localPath(Buffer.from(next, "base64url").toString()), ticket };
}

/** Of a request that never reaches the app: one that becomes a WebSocket. */
export function parseUserToken(header: string | null): string | undefined {
  const found = (header ?? "").split(/;\s*/).find((pair) => pair.startsWith(`${SESSION}=`));
  return found?.slice(SESSION.length + 1);
}
