/** The settings of a tenant by its name, as far as signing in at a provider goes. */

import type { SettingValues } from "../../domain/setting/registry.ts";
import { settingValues } from "../../domain/setting/resolve.ts";
import { AppError } from "../../lib/errors.ts";
import type { AccountStore } from "../account-store.ts";

export type TenantSettings = {
  /** Of a page that names no tenant: that of a login that names none. */
  readDefaultTenant(of: "user" | "administrator"): Promise<string>;
  /** Throws `not-found` where there is no such tenant, or it offers administrators no provider. */
  read(of: "user" | "administrator", tenant: string): Promise<SettingValues>;
  /** Whether the tenant's provider is the site's, which alone may say whose user somebody is. */
  isOfSite(settings: SettingValues): Promise<boolean>;
};

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
      if (of === "administrator" && !settings["auth.administrators.plugins"].includes("oidc")) {
        throw new AppError(
          "not-found",
          "OpenID Connect is not set up for administrators: auth.administrators.plugins has no oidc",
        );
      }
      return settings;
    },
    async isOfSite(settings) {
      const site = settingValues(await store.readSettings(undefined));
      const same = (name: "auth.oidc.issuer" | "auth.oidc.client_id") => site[name] === settings[name];
      return same("auth.oidc.issuer") && same("auth.oidc.client_id");
    },
  };
}
