/** GET /settings: what holds for the site or a tenant, and where each value comes from. */

import type { Handler } from "hono";
import type { TenantRow } from "../../../db/queries/tenants.ts";
import type { ResolvedSetting } from "../../../domain/setting/resolve.ts";
import { Notice } from "../../../ui/notice.tsx";
import { askAwayDirectories } from "../../auth-administration.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminEnv } from "../../env.ts";
import { renderPage } from "../../render.tsx";
import { listScopes, readScope, readSettings, type SettingScope } from "../../setting-scope.ts";
import { PageHead } from "../../ui/page-head.tsx";
import { GroupCard } from "./group-card.tsx";
import { PartNav, ScopeNav } from "./nav.tsx";
import { groupsOf, type SettingPart } from "./parts.ts";

export function showSettings(deps: AdminDeps): Handler<AdminEnv> {
  return async function showPage(c) {
    const part: SettingPart = c.req.query("part") === "other" ? "other" : "sign-in";
    const scope = await readScope(deps, c, c.req.query("tenant"));
    const settings = await readSettings(deps, scope);
    const servers = settings.find(({ name }) => name === "auth.ldap.host")?.value;
    const away =
      part === "sign-in" && Array.isArray(servers) ? await askAwayDirectories(deps, c, servers) : [];
    const view = {
      away,
      part,
      scope,
      tenants: await listScopes(deps, c),
      settings,
      csrf: c.get("signedIn").csrfToken,
    };
    return renderPage(c, { title: "Settings", section: "settings" }, <SettingsPage view={view} />);
  };
}

type SettingsView = {
  readonly part: SettingPart;
  readonly scope: SettingScope;
  readonly tenants: readonly TenantRow[];
  readonly settings: readonly ResolvedSetting[];
  /** Directories that didn't answer lately. */
  readonly away: readonly { readonly name: string; readonly text: string }[];
  readonly csrf: string;
};

function SettingsPage(props: { readonly view: SettingsView }) {
  const { part, scope, tenants, settings, away, csrf } = props.view;
  return (
    <>
      <PageHead
        title={scope.tenantName === undefined ? "Settings" : `Settings of ${scope.tenantName}`}
        lead={
          scope.tenantName === undefined
            ? "They hold for every tenant that has no value of its own, and from the moment they are saved."
            : "A value of the tenant's own wins over the site's. What is saved holds at once."
        }
      />
      <div class="stack">
        <PartNav scope={scope} current={part} />
        <ScopeNav scope={scope} part={part} tenants={tenants} />
        {away.map(({ name, text }) => (
          <Notice tone="bad">{`The directory ${name} did not answer and is left alone for a moment: ${text}.`}</Notice>
        ))}
        {groupsOf(part).map((group) => (
          <GroupCard group={group} scope={scope} settings={settings} csrf={csrf} />
        ))}
      </div>
    </>
  );
}
