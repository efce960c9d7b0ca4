/** What askers want of a tenant's provider: whether there is one, and where to send a browser. */

import type { AuthReply, AuthRequest } from "../../wire/auth/requests.ts";
import { beginJourney, type OidcDeps } from "./begin.ts";

type RequestOf<Kind extends AuthRequest["kind"]> = Extract<AuthRequest, { kind: Kind }>;
type Reply = AuthReply extends infer One ? (One extends AuthReply ? Omit<One, "id"> : never) : never;

export async function describeOidc(
  { settings: tenants }: OidcDeps,
  { of, tenant }: RequestOf<"describe-oidc">,
): Promise<Reply> {
  const settings = await tenants.read(of, await nameTenant(tenants, of, tenant));
  if (settings["auth.oidc.issuer"] === "") return { outcome: "refused", text: "There is no provider." };
  return { outcome: "oidc-described", label: settings["auth.oidc.label"] };
}

export async function beginOidc(
  deps: OidcDeps,
  { of, tenant, redirectUri, isFresh }: RequestOf<"begin-oidc">,
): Promise<Reply> {
  const start = { of, tenant: await nameTenant(deps.settings, of, tenant), redirectUri, isFresh };
  return { outcome: "oidc-begun", ...(await beginJourney(deps, start)) };
}

async function nameTenant(
  tenants: OidcDeps["settings"],
  of: "user" | "administrator",
  tenant: string,
): Promise<string> {
  const name = tenant.trim().toLowerCase();
  return name === "" ? await tenants.readDefaultTenant(of) : name;
}
