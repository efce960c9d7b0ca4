/** The settings of a tenant by its name, as far as signing in at a provider goes. */

import { OIDC_SETTINGS } from "../../domain/setting/oidc-settings.ts";
import { isSettingName, type SettingValues } from "../../domain/setting/registry.ts";
import { settingValues } from "../../domain/setting/resolve.ts";
import { AppError } from "../../lib/errors.ts";
import type { AccountStore } from "../account-store.ts";
import { planChain } from "../chain/plan-chain.ts";

export type TenantSettings = {
  /** Of a page that names no tenant: that of a login that names none. */
  readDefaultTenant(of: "user" | "administrator"): Promise<string>;
  /** Throws `not-found` where there is no such tenant, or its chain has no provider. */
  read(of: "user" | "administrator", tenant: string): Promise<SettingValues>;
  /** Whether the tenant's provider, and how it is read, is the site's, which alone may say whose user somebody is. */
  isOfSite(settings: SettingValues): Promise<boolean>;
};

/**
 * All that says whom a provider proves. A tenant that has only the claim of the login of its own could have people of the
 * site's provider choose whose user of another tenant they are. The button's words say nothing.
 */
const OF_PROVIDER = Object.keys(OIDC_SETTINGS)
  .filter(isSettingName)
  .filter((name) => name !== "auth.oidc.label");

export function createTenantSettings(store: AccountStore): TenantSettings {
  return {
    async readDefaultTenant(of) {
      if (of === "administrator") return "*";
      return settingValues(await store.readSettings(undefined))["l7r.auth.plugin.default.tenant"];
    },
    async read(of, name) {
      const tenant = await store.findTenant(name);
      if (tenant === undefined || tenant.isBlocked)
        throw new AppError("not-found", "OpenID Connect is not set up for this tenant");
      const settings = settingValues(await store.readSettings(tenant.tenantId), tenant.tenantId);
      if (planChain(of, settings).includes("oidc")) return settings;
      throw new AppError(
        "not-found",
        of === "administrator"
          ? "OpenID Connect is not set up for administrators: auth.administrators.plugins has no oidc"
          : "OpenID Connect is not set up for this tenant: l7r.auth.plugins has no oidc",
      );
    },
    async isOfSite(settings) {
      const site = settingValues(await store.readSettings(undefined));
      return OF_PROVIDER.every((name) => Bun.deepEquals(site[name], settings[name]));
    },
  };
}
