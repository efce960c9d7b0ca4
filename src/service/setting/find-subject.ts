import { eq } from "drizzle-orm";
import { z } from "zod";
import { tenants } from "../../db/schema/index.ts";
import type { Action } from "../../domain/access/action.ts";
import { asId, type TenantId } from "../../domain/ids.ts";
import { findSettingName, type SettingName, specOf } from "../../domain/setting/registry.ts";
import { SITE } from "../../domain/setting/resolve.ts";
import { AppError } from "../../lib/errors.ts";
import { authorize } from "../authorize.ts";
import type { Context } from "../context.ts";
import { wholeNumber } from "../input.ts";

export const settingInput = {
  /** The site's when not given. */
  tenantId: wholeNumber(1, 2 ** 31 - 1)
    .transform((id): TenantId => asId<TenantId>(id))
    .optional(),
  name: z.string({ error: "must be text" }).max(64),
};

export type SettingSubject = {
  readonly name: SettingName;
  readonly tenantId: TenantId;
  readonly tenantName: string;
  readonly action: Action;
};

/** Whose setting it is, once it is sure that the actor may change it. */
export async function authorizeSetting(
  inside: Context,
  { tenantId = SITE, name: given }: { readonly tenantId?: TenantId | undefined; readonly name: string },
): Promise<SettingSubject> {
  const action = tenantId === SITE ? "setting.change-site" : "setting.change";
  authorize(inside, action, {
    what: tenantId === SITE ? "the site's settings" : `tenant ${tenantId}`,
    ...(tenantId === SITE ? {} : { tenantId }),
  });
  const name = findSettingName(given);
  if (name === undefined)
    throw new AppError("not-found", `there is no setting ${given}; \`qvd config list\` shows all`, {
      field: "name",
    });
  if (tenantId !== SITE && specOf(name).scope === "site")
    throw new AppError("bad-input", `${name} is the site's alone: a tenant can't have its own`, {
      field: "name",
    });
  const [row] = await inside.db.select({ name: tenants.name }).from(tenants).where(eq(tenants.id, tenantId));
  if (row === undefined) throw new AppError("not-found", `tenant ${tenantId} does not exist`);
  return { name, tenantId, tenantName: row.name, action };
}
