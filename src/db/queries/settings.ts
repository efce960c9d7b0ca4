/** Site settings as they are stored; `src/domain/setting/resolve.ts` says what holds. */

import { inArray } from "drizzle-orm";
import type { TenantId } from "../../domain/ids.ts";
import { SITE, type StoredSetting } from "../../domain/setting/resolve.ts";
import type { Db } from "../client.ts";
import { settings } from "../schema/index.ts";

/** The site's, and the tenant's own. */
export async function listSettings(db: Db, tenantId: TenantId = SITE): Promise<readonly StoredSetting[]> {
  return await db
    .select({ tenantId: settings.tenantId, name: settings.name, value: settings.value })
    .from(settings)
    .where(inArray(settings.tenantId, tenantId === SITE ? [SITE] : [SITE, tenantId]));
}
