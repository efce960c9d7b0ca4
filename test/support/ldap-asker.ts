/** The authenticator of directories with settings as a tenant would have them, towards a real OpenLDAP server. */

import nacl from "tweetnacl";
import type { Finding } from "../../src/auth/authenticator.ts";
import { type DirectorySettings, readDirectorySettings } from "../../src/auth/ldap/directory-settings.ts";
import { createLdapAuthenticator } from "../../src/auth/ldap/ldap-authenticator.ts";
import { ServerHealth } from "../../src/auth/ldap/server-health.ts";
import { SITE, settingValues } from "../../src/domain/setting/resolve.ts";
import { secretUse } from "../../src/domain/setting/secret-use.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { sealSecret } from "../../src/wire/setting/sealed-secret.ts";
import { DIRECTORY_BASE, DIRECTORY_PASSWORD, type DirectoryServerLab, SEARCHER } from "./directory-server.ts";

export type Values = Readonly<Record<string, unknown>>;
const keys = nacl.box.keyPair();
const never = new AbortController().signal;

/** Settings by which people are searched for; `bindpass` is sealed for auth. */
export function searchSettings(directory: DirectoryServerLab): Values {
  return {
    "auth.ldap.host": [`ldaps://localhost:${directory.tlsPort}`],
    "auth.ldap.ca": directory.ca,
    "auth.ldap.binddn": SEARCHER.dn,
    "auth.ldap.base": DIRECTORY_BASE,
    "auth.ldap.scope": "sub",
    bindpass: SEARCHER.password,
  };
}

export function patternSettings(directory: DirectoryServerLab): Values {
  return {
    "auth.ldap.host": [`ldaps://localhost:${directory.tlsPort}`],
    "auth.ldap.ca": directory.ca,
    "auth.ldap.userbindpattern": `uid=%u,ou=people,${DIRECTORY_BASE}`,
  };
}

function resolve({ bindpass, ...given }: Values) {
  const rows = Object.entries(given).map(([name, value]) => ({ tenantId: SITE, name, value }));
  if (typeof bindpass !== "string") return settingValues(rows);
  const use = secretUse("auth.ldap.bindpass", settingValues(rows));
  const value = sealSecret(keys.publicKey, use, bindpass);
  return settingValues([...rows, { tenantId: SITE, name: "auth.ldap.bindpass", value }]);
}

/** The same as auth resolves them, with the key that opens what is sealed in them. */
export function resolveSettings(values: Values) {
  return { values: resolve(values), secretKey: keys.secretKey };
}

export function settingsOf(values: Values): DirectorySettings {
  const settings = readDirectorySettings(resolve(values), keys.secretKey);
  if ("fault" in settings) throw new Error(settings.fault);
  return settings;
}

export function createTestAuthenticator() {
  // Whom it leaves alone it leaves alone: a busy machine may do something else for longer than that lasts.
  const health = new ServerHealth({ nowMs: () => 0, monotonicMs: () => 0 });
  const deps = { health, systemAuthorities: "", log: silentLog(), clock: systemClock };
  return createLdapAuthenticator({ ...deps, secretKey: keys.secretKey });
}

export async function askDirectoryOf(
  values: Values,
  login = "ann",
  password: string = DIRECTORY_PASSWORD,
  authenticator = createTestAuthenticator(),
): Promise<Finding> {
  const name = { login, tenant: "default" };
  const proof = { kind: "password", password } as const;
  return await authenticator.prove(
    { kind: "user", name, proof, origin: "192.0.2.1", settings: resolve(values) },
    never,
  );
}
