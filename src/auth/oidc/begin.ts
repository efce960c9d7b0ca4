/**
 * Sends a browser to its provider: authorization code with PKCE, state and nonce. What must be remembered until it comes
 * back travels sealed with the browser, so it may come back to any box of the site.
 */

import * as oidc from "openid-client";
import { z } from "zod";
import type { Tickets } from "../ticket.ts";
import type { Providers } from "./provider.ts";
import type { TenantSettings } from "./tenant-settings.ts";

export const OidcJourney = z.object({
  of: z.enum(["user", "administrator"]),
  tenant: z.string(),
  redirectUri: z.string(),
  verifier: z.string(),
  state: z.string(),
  nonce: z.string(),
  /** The provider was told to have them prove themselves anew. */
  isFresh: z.boolean(),
});
export type OidcJourney = z.infer<typeof OidcJourney>;

export type OidcDeps = {
  readonly providers: Providers;
  readonly tickets: Tickets;
  readonly readNowMs: () => Promise<number>;
  readonly settings: TenantSettings;
};

/** How long somebody may take at the provider's page. */
export const JOURNEY_MS = 15 * 60_000;
/** For a fresh proof: how long ago it may have been when the browser comes back. */
export const FRESH_SECONDS = 300;

export type OidcStart = Pick<OidcJourney, "of" | "tenant" | "redirectUri" | "isFresh">;

/** Throws an AppError when the tenant has no provider, or it is away. */
export async function beginJourney(
  { providers, tickets, readNowMs, settings: tenants }: OidcDeps,
  start: OidcStart,
): Promise<{ readonly url: string; readonly ticket: string }> {
  const settings = await tenants.read(start.of, start.tenant);
  const config = await providers.find(settings);
  const journey: OidcJourney = {
    ...start,
    verifier: oidc.randomPKCECodeVerifier(),
    state: oidc.randomState(),
    nonce: oidc.randomNonce(),
  };
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: start.redirectUri,
    scope: settings["auth.oidc.scope"],
    code_challenge: await oidc.calculatePKCECodeChallenge(journey.verifier),
    code_challenge_method: "S256",
    state: journey.state,
    nonce: journey.nonce,
    ...(start.isFresh ? { prompt: "login", max_age: "0" } : {}),
  });
  return { url: url.href, ticket: tickets.seal("oidc", journey, (await readNowMs()) + JOURNEY_MS) };
}
