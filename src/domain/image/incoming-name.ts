/**
 * Whose a file among the incoming images is: what a tenant's administrators lay down carries the tenant in its
 * name, and they see and enrol nothing else. Names without that are the site's.
 */

import type { TenantId } from "../ids.ts";

/** `tenant` is undefined for the site's administrators. */
export function incomingName(fileName: string, tenant: TenantId | undefined): string {
  return isIncomingOf(fileName, tenant) ? fileName : `tenant-${tenant}.${fileName}`;
}

export function isIncomingOf(fileName: string, tenant: TenantId | undefined): boolean {
  return tenant === undefined || fileName.startsWith(`tenant-${tenant}.`);
}
