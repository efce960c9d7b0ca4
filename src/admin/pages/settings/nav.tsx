/** What the pages of settings have in common: which part, and whose. */

import type { TenantRow } from "../../../db/queries/tenants.ts";
import { SubmitButton } from "../../../ui/button.tsx";
import { SelectField } from "../../../ui/field.tsx";
import type { SettingScope } from "../../setting-scope.ts";
import { Segments } from "../../ui/segments.tsx";
import { type SettingPart, settingsPath } from "./parts.ts";

/** More tenants than this are chosen from a list. */
const MOST_SEGMENTS = 5;

type Part = SettingPart | "slowed" | "administrators" | "tenants" | "audit";

export function PartNav(props: { readonly scope: SettingScope; readonly current: Part }) {
  const { scope, current } = props;
  return (
    <Segments
      label="Parts of the settings"
      segments={[
        { href: settingsPath("sign-in", scope), text: "Signing in", isCurrent: current === "sign-in" },
        { href: settingsPath("other", scope), text: "Sessions and history", isCurrent: current === "other" },
        { href: "/settings/slowed", text: "Slowed down", isCurrent: current === "slowed" },
        {
          href: "/settings/administrators",
          text: "Administrators",
          isCurrent: current === "administrators",
        },
        { href: "/settings/tenants", text: "Tenants", isCurrent: current === "tenants" },
        { href: "/settings/audit", text: "Audit", isCurrent: current === "audit" },
      ]}
    />
  );
}

/** Nothing where there is nothing to choose. */
export function ScopeNav(props: {
  readonly scope: SettingScope;
  readonly part: SettingPart;
  readonly tenants: readonly TenantRow[];
}) {
  const { scope, part, tenants } = props;
  if (tenants.length === 0) return null;
  const site = { href: settingsPath(part, { tenantName: undefined }), text: "Whole site" };
  if (tenants.length <= MOST_SEGMENTS)
    return (
      <Segments
        label="Whose settings"
        segments={[
          { ...site, isCurrent: scope.tenantName === undefined },
          ...tenants.map(({ name }) => ({
            href: settingsPath(part, { tenantName: name }),
            text: name,
            isCurrent: scope.tenantName === name,
          })),
        ]}
      />
    );
  return (
    <form class="form" method="get" action="/settings">
      {part === "other" ? <input type="hidden" name="part" value="other" /> : null}
      <SelectField
        name="tenant"
        label="Whose settings"
        value={scope.tenantName ?? ""}
        prompt={site.text}
        choices={tenants.map(({ name }) => ({ value: name, text: name }))}
      />
      <div class="actions">
        <SubmitButton label="Show" />
      </div>
    </form>
  );
}
