/**
 * Our cookies. The `__Host-` prefix makes browsers refuse them from anyone but this host over TLS; all but
 * the theme are out of reach for scripts.
 */

import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { AdminContext } from "./env.ts";
import type { Flash, Theme } from "./ui/layout.tsx";

const SESSION = "__Host-qvd-session";
const GATE = "__Host-qvd-gate";
const FLASH = "__Host-qvd-flash";
const THEME = "__Host-qvd-theme";

const SAFE = { path: "/", secure: true, httpOnly: true, sameSite: "Lax" } as const;
const YEAR_SECONDS = 365 * 86_400;

export function readSessionToken(c: AdminContext): string | undefined {
  return getCookie(c, SESSION);
}

/** Lives as long as the browser; the server's side ends by itself. */
export function writeSessionToken(c: AdminContext, token: string): void {
  setCookie(c, SESSION, token, SAFE);
}

export function clearSessionToken(c: AdminContext): void {
  deleteCookie(c, SESSION, SAFE);
}

/** The token that ties the sign-in form to the browser that asked for it, as there is no session yet. */
export function readGateToken(c: AdminContext): string | undefined {
  return getCookie(c, GATE);
}

export function writeGateToken(c: AdminContext, token: string): void {
  setCookie(c, GATE, token, { ...SAFE, sameSite: "Strict" });
}

const OIDC = "__Host-qvd-oidc";

/** What auth gave along for the way to the provider. It comes back by a link of the provider's, hence Lax. */
export function writeOidcTicket(c: AdminContext, ticket: string): void {
  setCookie(c, OIDC, ticket, { ...SAFE, maxAge: 900 });
}

export function readOidcTicket(c: AdminContext): string | undefined {
  return getCookie(c, OIDC);
}

export function clearOidcTicket(c: AdminContext): void {
  deleteCookie(c, OIDC, SAFE);
}

const FLASH_TONES: ReadonlySet<string> = new Set(["good", "warn", "bad"]);

/** A sentence for the next page shown, after a redirect. */
export function writeFlash(c: AdminContext, flash: Flash): void {
  setCookie(c, FLASH, `${flash.tone}:${flash.text}`, { ...SAFE, maxAge: 60 });
}

/** Reads and forgets. */
export function takeFlash(c: AdminContext): Flash | undefined {
  const written = getCookie(c, FLASH);
  if (written === undefined) return undefined;
  deleteCookie(c, FLASH, SAFE);
  const at = written.indexOf(":");
  const tone = written.slice(0, at);
  if (!FLASH_TONES.has(tone)) return undefined;
  return { tone: tone === "good" ? "good" : tone === "warn" ? "warn" : "bad", text: written.slice(at + 1) };
}

export function readTheme(c: AdminContext): Theme {
  const written = getCookie(c, THEME);
  return written === "light" || written === "dark" ? written : "auto";
}

export function writeTheme(c: AdminContext, theme: Theme): void {
  setCookie(c, THEME, theme, { ...SAFE, maxAge: YEAR_SECONDS });
}
