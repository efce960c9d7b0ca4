/** How the settings are divided among pages. */

import { SETTING_GROUPS, type SettingGroup } from "../../../domain/setting/spec.ts";
import type { SettingScope } from "../../setting-scope.ts";

export type SettingPart = "sign-in" | "other";

const OTHER: ReadonlySet<string> = new Set<SettingGroup>(["sessions", "history"]);

/** In the order of the table. */
export function groupsOf(part: SettingPart): readonly SettingGroup[] {
  return Object.keys(SETTING_GROUPS)
    .filter((group): group is SettingGroup => Object.hasOwn(SETTING_GROUPS, group))
    .filter((group) => OTHER.has(group) === (part === "other"));
}

export function partOf(group: SettingGroup): SettingPart {
  return OTHER.has(group) ? "other" : "sign-in";
}

export function isSettingGroup(text: string): text is SettingGroup {
  return Object.hasOwn(SETTING_GROUPS, text);
}

/** Where the settings of a scope are shown. */
export function settingsPath(part: SettingPart, { tenantName }: Pick<SettingScope, "tenantName">): string {
  const query = new URLSearchParams({
    ...(part === "other" ? { part } : {}),
    ...(tenantName === undefined ? {} : { tenant: tenantName }),
  }).toString();
  return query === "" ? "/settings" : `/settings?${query}`;
}

/** `?tenant=…`, or nothing. */
export function scopeQuery({ tenantName }: Pick<SettingScope, "tenantName">): string {
  return tenantName === undefined ? "" : `?${new URLSearchParams({ tenant: tenantName })}`;
}
