/** A tenant's directory as its settings describe it, ready for use; or what is missing, for administrators. */

import { refuseExpression } from "../../domain/setting/bounded-expression.ts";
import type { SettingValues } from "../../domain/setting/registry.ts";
import { secretUse } from "../../domain/setting/secret-use.ts";
import { describeError, isAppError } from "../../lib/errors.ts";
import { openSecret } from "../../wire/setting/sealed-secret.ts";

export type DirectoryServer = {
  /** As it was written, for people. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly encryption: "tls" | "starttls" | "none";
  /** PEM; empty for the system's authorities. */
  readonly ca: string;
};

export type DirectorySettings = {
  readonly servers: readonly DirectoryServer[];
  /** For all that one server is asked in a sign-in. */
  readonly timeoutMs: number;
  readonly userBindPattern: string;
  readonly bindDn: string;
  readonly bindPassword: string | undefined;
  readonly base: string;
  readonly filter: string;
  readonly scope: SettingValues["auth.ldap.scope"];
  readonly deref: SettingValues["auth.ldap.deref"];
  readonly racfAllow: RegExp | undefined;
  readonly normalizesName: boolean;
  readonly setsHome: boolean;
  readonly groups: {
    readonly base: string;
    readonly filter: string;
    readonly required: readonly string[];
    /** Whether they are worth a question: the policy names some, or one is needed. */
    readonly areAsked: boolean;
  };
};

/** `secretKey` opens the search DN's password. */
export function readDirectorySettings(
  values: SettingValues,
  secretKey: Uint8Array | undefined,
): DirectorySettings | { readonly fault: string } {
  const servers: DirectoryServer[] = [];
  for (const name of values["auth.ldap.host"]) {
    const server = parseServer(name, values);
    if (typeof server === "string") return { fault: server };
    servers.push(server);
  }
  if (servers.length === 0)
    return {
      fault: "no server is set: set auth.ldap.host, such as ldaps://dc1.example.org",
    };
  const userBindPattern = values["auth.ldap.userbindpattern"];
  const base = values["auth.ldap.base"];
  if (base === "" && userBindPattern === "")
    return { fault: "neither auth.ldap.base nor auth.ldap.userbindpattern is set: nobody can be found" };
  const bindPassword = readBindPassword(values, secretKey);
  if (typeof bindPassword === "object") return bindPassword;
  const racf = values["auth.ldap.racf_allowregex"];
  // It was checked when it was set; one of an earlier version could hold up the sign-ins of all tenants.
  const refusal = refuseExpression(racf);
  if (refusal !== undefined) return { fault: `auth.ldap.racf_allowregex ${refusal}` };
  const required = values["auth.ldap.groups.required"];
  return {
    servers,
    timeoutMs: values["auth.ldap.timeout"] * 1000,
    userBindPattern,
    bindDn: values["auth.ldap.binddn"],
    bindPassword,
    base,
    filter: values["auth.ldap.filter"],
    scope: values["auth.ldap.scope"],
    deref: values["auth.ldap.deref"],
    racfAllow: racf === "" ? undefined : new RegExp(racf),
    normalizesName: values["auth.ldap.name.normalize"],
    setsHome: values["auth.ldap.home.set"],
    groups: {
      base: values["auth.ldap.groups.base"],
      filter: values["auth.ldap.groups.filter"],
      required,
      areAsked: required.length > 0 || /\sgroup=/.test(values["auth.policy"]),
    },
  };
}

function readBindPassword(
  values: SettingValues,
  secretKey: Uint8Array | undefined,
): string | undefined | { readonly fault: string } {
  const sealed = values["auth.ldap.bindpass"];
  if (sealed === undefined) return undefined;
  if (secretKey === undefined)
    return {
      fault: "auth.ldap.bindpass can't be opened: this box has no settings.key in its secrets folder",
    };
  try {
    return openSecret(secretKey, secretUse("auth.ldap.bindpass", values), sealed);
  } catch (error) {
    if (isAppError(error)) return { fault: describeError(error) };
    throw error;
  }
}

function parseServer(name: string, values: SettingValues): DirectoryServer | string {
  const [, scheme = "ldap", host = "", port] =
    /^(?:(ldaps?):\/\/)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?\/?$/i.exec(name) ?? [];
  if (host === "" || Number(port ?? 1) > 65_535)
    return `auth.ldap.host has ${JSON.stringify(name)}, which is neither a name nor ldap://NAME:PORT nor ldaps://NAME:PORT`;
  const isTls = scheme.toLowerCase() === "ldaps";
  if (!isTls && !values["auth.ldap.starttls"] && !values["auth.ldap.plaintext"])
    return `${name} would be sent passwords in the clear: use ldaps://, or turn auth.ldap.starttls on; auth.ldap.plaintext allows it nevertheless`;
  return {
    name,
    host: host.replace(/^\[|\]$/g, ""),
    port: port === undefined ? (isTls ? 636 : 389) : Number(port),
    encryption: isTls ? "tls" : values["auth.ldap.starttls"] ? "starttls" : "none",
    ca: values["auth.ldap.ca"],
  };
}
