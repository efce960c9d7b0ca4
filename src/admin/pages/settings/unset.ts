/** POST /settings/unset: back to the site's value, or to the default. */

import type { Handler } from "hono";
import { unsetSetting } from "../../../service/setting/unset.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminEnv } from "../../env.ts";
import { readForm } from "../../form.ts";
import { executeAndReturn } from "../../redirect.ts";
import { readScope } from "../../setting-scope.ts";
import { settingsPath } from "./parts.ts";

export function unsetSettingPage(deps: AdminDeps): Handler<AdminEnv> {
  return async function executeUnset(c) {
    const { name = "", tenant } = await readForm(c);
    const scope = await readScope(deps, c, tenant);
    const done =
      scope.tenantName === undefined ? `${name} is the default's again.` : `${name} is the site's again.`;
    return executeAndReturn(c, { fallback: settingsPath("sign-in", scope), done }, () =>
      unsetSetting(contextOf(deps, c), { name, tenantId: scope.tenantId }),
    );
  };
}
