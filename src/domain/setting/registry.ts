/** The one table of site settings. A new one is registered in the file of its area; pages and commands follow. */

import { CHAIN_SETTINGS } from "./chain-settings.ts";
import { LDAP_SETTINGS } from "./ldap-settings.ts";
import { OIDC_SETTINGS } from "./oidc-settings.ts";
import { POLICY_SETTINGS } from "./policy-settings.ts";
import { SECOND_FACTOR_SETTINGS } from "./second-factor-settings.ts";
import { SESSION_SETTINGS } from "./session-settings.ts";
import type { SettingSpec, SettingValueOf } from "./spec.ts";
import { TOKEN_SETTINGS } from "./token-settings.ts";

export const SITE_SETTINGS = {
  ...CHAIN_SETTINGS,
  ...LDAP_SETTINGS,
  ...POLICY_SETTINGS,
  ...SECOND_FACTOR_SETTINGS,
  ...TOKEN_SETTINGS,
  ...OIDC_SETTINGS,
  ...SESSION_SETTINGS,
} as const satisfies Record<string, SettingSpec>;

export type SettingName = keyof typeof SITE_SETTINGS;

/** All of them, as they hold for one tenant. */
export type SettingValues = {
  readonly [Name in SettingName]: SettingValueOf<(typeof SITE_SETTINGS)[Name]>;
};

/** In the order of the table. */
export const SETTING_NAMES: readonly SettingName[] = Object.keys(SITE_SETTINGS).filter(isSettingName);

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SITE_SETTINGS, name);
}

/** Other names that QVD 4 knew a setting by. Values are kept, and shown, by the name of the table. */
const ALIASES: ReadonlyMap<string, SettingName> = new Map([
  ["auth.ldap.normalize.name", "auth.ldap.name.normalize"],
]);

/** The setting that somebody means, by its name or an alias. */
export function findSettingName(name: string): SettingName | undefined {
  return isSettingName(name) ? name : ALIASES.get(name);
}

export function specOf(name: SettingName): SettingSpec {
  return SITE_SETTINGS[name];
}
