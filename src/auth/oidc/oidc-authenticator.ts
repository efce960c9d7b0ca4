/**
 * Takes what the browser brought back from its provider, and asks the provider whose it is. The client's secret and
 * the code verifier are here alone: a broker that is taken over can't use what it passes on.
 */

import * as oidc from "openid-client";
import { describeError, isAppError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import type { Authenticator, Finding } from "../authenticator.ts";
import { FRESH_SECONDS, type OidcDeps, OidcJourney } from "./begin.ts";
import { type Claims, type MappedClaims, mapClaims } from "./map-claims.ts";

export type OidcAuthenticatorDeps = OidcDeps & {
  /** Makes an administrator's roles those of their groups, and the administrator if there is none. */
  readonly giveRoles: (input: {
    readonly tenant: string;
    readonly login: string;
    readonly roles: string[];
    /** The issuer. */
    readonly provider: string;
    readonly origin: string;
  }) => Promise<void>;
  readonly log: Log;
};

export function createOidcAuthenticator(deps: OidcAuthenticatorDeps): Authenticator {
  return {
    name: "oidc",
    proofs: ["oidc"],
    async prove({ kind, proof, origin }) {
      if (proof.kind !== "oidc") return { outcome: "denied" };
      const nowMs = await deps.readNowMs();
      const journey = deps.tickets.open("oidc", OidcJourney, { text: proof.ticket, nowMs });
      if (journey === undefined || journey.of !== kind || (proof.isFresh === true && !journey.isFresh))
        return { outcome: "denied" };
      return await follow(deps, journey, { query: proof.query, origin });
    },
  };
}

type Return = { readonly query: string; readonly origin: string };

async function follow(deps: OidcAuthenticatorDeps, journey: OidcJourney, back: Return): Promise<Finding> {
  try {
    const settings = await deps.settings.read(journey.of, journey.tenant);
    const config = await deps.providers.find(settings);
    const claims = await exchange(config, journey, back.query);
    const mapped = mapClaims(claims, settings);
    if ("fault" in mapped) return refuse(deps.log, journey, mapped.fault);
    const isMapped = mapped.tenant !== undefined && (await deps.settings.isOfSite(settings));
    const tenant = (isMapped ? mapped.tenant : undefined) ?? journey.tenant;
    if (journey.of === "administrator") {
      const refusal = await giveRoles(deps, {
        journey,
        mapped,
        provider: settings["auth.oidc.issuer"],
        origin: back.origin,
      });
      if (refusal !== undefined) return refusal;
    }
    const { login, groups, fullName } = mapped;
    const name = { login, tenant: journey.of === "administrator" ? journey.tenant : tenant };
    return { outcome: "proved", name, groups, fullName, hasSecondFactor: true };
  } catch (error) {
    if (isRefusalOfProvider(error) || (isAppError(error) && error.code === "forbidden"))
      return refuse(deps.log, journey, describeError(error));
    if (isAppError(error)) return { outcome: "unavailable", text: describeError(error) };
    throw error;
  }
}

/** The code for tokens, and everything that proves that they are ours. */
async function exchange(config: oidc.Configuration, journey: OidcJourney, query: string): Promise<Claims> {
  const returned = new URL(journey.redirectUri);
  returned.search = query;
  const tokens = await oidc.authorizationCodeGrant(config, returned, {
    pkceCodeVerifier: journey.verifier,
    expectedState: journey.state,
    expectedNonce: journey.nonce,
    idTokenExpected: true,
    ...(journey.isFresh ? { maxAge: FRESH_SECONDS } : {}),
  });
  const claims = tokens.claims();
  if (claims === undefined) throw new oidc.ClientError("no ID token came");
  // Many providers put groups into the one and not into the other.
  if (config.serverMetadata().userinfo_endpoint === undefined) return claims;
  return { ...(await oidc.fetchUserInfo(config, tokens.access_token, claims.sub)), ...claims };
}

async function giveRoles(
  { giveRoles: give, log }: OidcAuthenticatorDeps,
  of: {
    readonly journey: OidcJourney;
    readonly mapped: MappedClaims;
    readonly provider: string;
    readonly origin: string;
  },
): Promise<Finding | undefined> {
  const { journey, mapped, provider, origin } = of;
  const { login, roles } = mapped;
  if (roles === undefined) return undefined;
  await give({ tenant: journey.tenant, login, roles: [...roles], provider, origin });
  if (roles.length > 0) return undefined;
  return refuse(log, journey, `${login} is in no group of auth.oidc.groups.roles`);
}

function refuse(log: Log, { tenant }: OidcJourney, reason: string): Finding {
  log.warn("provider-proof-refused", { tenant, reason });
  return { outcome: "denied" };
}

/** The provider said no, or what came back is not what was sent for; anything else is its being away. */
function isRefusalOfProvider(error: unknown): boolean {
  return (
    error instanceof oidc.AuthorizationResponseError ||
    error instanceof oidc.ResponseBodyError ||
    error instanceof oidc.ClientError
  );
}
