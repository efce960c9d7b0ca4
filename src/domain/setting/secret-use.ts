/** What a secret among the settings is bound to: the values, as they hold for its tenant, of what says where it goes. */

import { formatSettingValue } from "./parse-value.ts";
import { isSettingName, type SettingName, type SettingValues, specOf } from "./registry.ts";

export function secretUse(
  name: SettingName,
  values: SettingValues,
): { readonly name: string; readonly bound: Readonly<Record<string, string>> } {
  const spec = specOf(name);
  const names = spec.kind === "secret" ? spec.boundTo.filter(isSettingName) : [];
  return { name, bound: Object.fromEntries(names.map((one) => [one, formatSettingValue(values[one])])) };
}
