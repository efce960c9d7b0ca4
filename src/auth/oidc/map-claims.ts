/** What a provider's claims say about somebody here: login, groups, tenant, roles. Pure; every value is a stranger's. */

import type { SettingValues } from "../../domain/setting/registry.ts";

export type Claims = Readonly<Record<string, unknown>>;

export type MappedClaims = {
  readonly login: string;
  readonly fullName: string;
  readonly groups: readonly string[];
  /** By group, where the site maps them. */
  readonly tenant: string | undefined;
  /** Of an administrator, by group; undefined where roles aren't mapped. */
  readonly roles: readonly string[] | undefined;
};

type OidcSettings = Pick<
  SettingValues,
  | "auth.oidc.claim.login"
  | "auth.oidc.domains"
  | "auth.oidc.claim.groups"
  | "auth.oidc.groups.required"
  | "auth.oidc.groups.tenants"
  | "auth.oidc.groups.roles"
>;

const MOST_GROUPS = 1_000;
const MOST_CHARACTERS = 256;

/** `fault` is for administrators: why this person is not let in, and which setting says so. */
export function mapClaims(claims: Claims, settings: OidcSettings): MappedClaims | { readonly fault: string } {
  const login = readLogin(claims, settings);
  if (typeof login !== "string") return login;
  const groups = readGroups(claims, settings["auth.oidc.claim.groups"]);
  const required = settings["auth.oidc.groups.required"];
  if (required.length > 0 && !required.some((group) => groups.includes(group)))
    return { fault: `${login} is in none of the groups of auth.oidc.groups.required` };
  const roleMap = readMap(settings["auth.oidc.groups.roles"]);
  const inGroup = ([group]: readonly [string, string]) => groups.includes(group);
  return {
    login,
    fullName: readText(claims.name) ?? "",
    groups,
    tenant: readMap(settings["auth.oidc.groups.tenants"]).find(inGroup)?.[1],
    roles: roleMap.length === 0 ? undefined : [...new Set(roleMap.filter(inGroup).map(([, role]) => role))],
  };
}

/** `GROUP=NAME`, at the last sign: groups of directories have more of them. */
export function readMap(words: readonly string[]): readonly (readonly [group: string, name: string])[] {
  return words.flatMap((word) => {
    const at = word.lastIndexOf("=");
    const pair = [word.slice(0, at).trim(), word.slice(at + 1).trim()] as const;
    return at > 0 && pair[0] !== "" && pair[1] !== "" ? [pair] : [];
  });
}

function readLogin(claims: Claims, settings: OidcSettings): string | { readonly fault: string } {
  const name = settings["auth.oidc.claim.login"];
  const value = readText(readPath(claims, name))?.trim().toLowerCase();
  if (value === undefined || value === "")
    return { fault: `the provider says no ${name} (auth.oidc.claim.login)` };
  if (name === "email" && claims.email_verified !== true)
    return { fault: "the provider has not verified the mail address that would be the login" };
  const at = value.lastIndexOf("@");
  const login = at === -1 ? value : value.slice(0, at);
  const domain = at === -1 ? undefined : value.slice(at + 1);
  const domains = settings["auth.oidc.domains"].map((one) => one.toLowerCase());
  if (domain !== undefined && !domains.includes(domain))
    return { fault: `the login's domain is not one of auth.oidc.domains` };
  return /^[^\s@#:/\\\p{Cc}]{1,64}$/u.test(login)
    ? login
    : { fault: "what the provider says can't be a login here" };
}

function readGroups(claims: Claims, path: string): readonly string[] {
  const value = readPath(claims, path);
  const list = Array.isArray(value) ? value : [value];
  return list.slice(0, MOST_GROUPS).flatMap((one) => readText(one) ?? []);
}

/** A claim of that very name, else along the dots. */
function readPath(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const step of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Object.entries(value).find(([key]) => key === step)?.[1];
  }
  return value;
}

function readText(value: unknown): string | undefined {
  return typeof value === "string" && value.length <= MOST_CHARACTERS && !/\p{Cc}/u.test(value)
    ? value
    : undefined;
}
