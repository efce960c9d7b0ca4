import type { TenantId } from "../../domain/ids.ts";
import { isSettingName, specOf } from "../../domain/setting/registry.ts";
import { type Context, change } from "../context.ts";
import { type SettingDeps, setSetting } from "./set.ts";

/** Sets several at once, or none of them. Secrets come last, as they are bound to what the others say. */
export async function changeSettings(
  context: Context,
  deps: SettingDeps,
  wanted: { readonly tenantId: TenantId | undefined; readonly values: Readonly<Record<string, string>> },
): Promise<void> {
  const isSecret = (name: string) => isSettingName(name) && specOf(name).kind === "secret";
  const names = Object.keys(wanted.values).sort(
    (one, other) => Number(isSecret(one)) - Number(isSecret(other)),
  );
  await change(context, { doing: "change the settings" }, async (inside) => {
    for (const name of names) {
      const value = wanted.values[name] ?? "";
      await setSetting(inside, deps, { name, value, tenantId: wanted.tenantId });
    }
  });
}
