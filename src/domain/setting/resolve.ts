/** What holds for a tenant: its own value, else the site's, else the default. */

import type { TenantId } from "../ids.ts";
import { readStoredValue } from "./parse-value.ts";
import { SETTING_NAMES, type SettingName, type SettingValues, specOf } from "./registry.ts";
import type { SettingSpec, SettingValue } from "./spec.ts";

/** The tenant `-`, whose values are the site's. */
export const SITE = -1 as TenantId;

export type StoredSetting = { readonly tenantId: TenantId; readonly name: string; readonly value: unknown };

export type SettingSource = "default" | "site" | "tenant";

export type ResolvedSetting = {
  readonly name: SettingName;
  /** Undefined only of a secret that isn't set. */
  readonly value: SettingValue | undefined;
  readonly source: SettingSource;
};

/** All settings, in the order of the table. Rows of other tenants and of unknown names are passed over. */
export function resolveSettings(
  rows: readonly StoredSetting[],
  tenantId: TenantId = SITE,
): readonly ResolvedSetting[] {
  const own = readRows(rows, tenantId);
  const site = readRows(rows, SITE);
  return SETTING_NAMES.map((name) => {
    const spec = specOf(name);
    const ofTenant = tenantId !== SITE && spec.scope === "tenant" ? own.get(name) : undefined;
    if (ofTenant !== undefined) return { name, value: ofTenant, source: "tenant" };
    const ofSite = site.get(name);
    if (ofSite !== undefined) return { name, value: ofSite, source: "site" };
    return { name, value: defaultOf(spec), source: "default" };
  });
}

/** The same, for code that uses them. */
export function settingValues(rows: readonly StoredSetting[], tenantId: TenantId = SITE): SettingValues {
  const pairs = resolveSettings(rows, tenantId).map(({ name, value }) => [name, value] as const);
  return asValues(Object.fromEntries(pairs));
}

export function defaultOf(spec: SettingSpec): SettingValue | undefined {
  return spec.kind === "secret" ? undefined : spec.default;
}

function readRows(
  rows: readonly StoredSetting[],
  tenantId: TenantId,
): ReadonlyMap<SettingName, SettingValue> {
  const found = new Map<SettingName, SettingValue>();
  for (const row of rows) {
    if (row.tenantId !== tenantId) continue;
    const read = readStoredValue(row.name, row.value);
    if (read !== undefined) found.set(read.name, read.value);
  }
  return found;
}

/** Each value was parsed by its own spec, whose kind decides the type: `readStoredValue` and `defaultOf`. */
function asValues(values: Readonly<Record<string, SettingValue | undefined>>): SettingValues {
  return values as SettingValues;
}
