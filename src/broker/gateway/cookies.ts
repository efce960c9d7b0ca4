/**
 * Cookies of users on the QVD port. Browsers keep cookies by host and not by port, so their names differ from the
 * WAT's. The `__Host-` prefix makes browsers refuse them from anyone but this host over TLS.
 */

import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { GatewayContext } from "./env.ts";

const SESSION = "__Host-qvd-user";
const GATE = "__Host-qvd-user-gate";

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

/** Of a request that never reaches the app: one that becomes a WebSocket. */
export function parseUserToken(header: string | null): string | undefined {
  const found = (header ?? "").split(/;\s*/).find((pair) => pair.startsWith(`${SESSION}=`));
  return found?.slice(SESSION.length + 1);
}
