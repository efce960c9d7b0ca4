import type { OptionSpec } from "../command.ts";

export const TENANT_OPTION = {
  tenant: { type: "text", value: "NAME", doc: "Of this tenant; without it the site's." },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** `?tenant=…`, or nothing. */
export function tenantQuery(tenant: string | undefined): string {
  return tenant === undefined ? "" : `?${new URLSearchParams({ tenant })}`;
}
