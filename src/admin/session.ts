/** Who is signed in, as pages and verbs need it. */

import type { AdministratorId, TenantId } from "../domain/ids.ts";

export type AdministratorSession = {
  readonly administratorId: AdministratorId;
  readonly login: string;
  /** 0 is the site's own tenant: may see and change everything. */
  readonly tenantId: TenantId;
  readonly tenantName: string;
  readonly csrfToken: string;
};
