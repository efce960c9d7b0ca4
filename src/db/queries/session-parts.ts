/** What a session is made of besides what its client said: properties, its application's program, the site's defaults. */

import { and, asc, eq, inArray } from "drizzle-orm";
import { asId, type SessionId, type TenantId, type VmId } from "../../domain/ids.ts";
import type { Properties } from "../../domain/property/merge.ts";
import { CLIENT_DEFAULT_NAMES, clientDefaults } from "../../domain/session/client-defaults.ts";
import type { GivenParameters } from "../../domain/session/client-parameters.ts";
import type { Db } from "../client.ts";
import { osfs, sessions, settings, vms } from "../schema/index.ts";
import type { SessionAccess } from "../schema/sessions.ts";
import { readVmProperties } from "./properties.ts";

const SITE = asId<TenantId>(-1);

export type SessionParts = {
  /** What it is to be shown to. */
  readonly access: SessionAccess;
  readonly properties: Properties;
  /** What an authenticator gave. */
  readonly parameters: GivenParameters;
  /** Null of a desktop, and of an application that its image starts. */
  readonly program: string | null;
  readonly defaults: GivenParameters;
};

export async function readSessionParts(
  db: Db,
  {
    vmId,
    tenantId,
    sessionId,
  }: { readonly vmId: VmId; readonly tenantId: TenantId; readonly sessionId: SessionId },
): Promise<SessionParts> {
  // At once: a person waits.
  const [[row], properties, defaults] = await Promise.all([
    readRow(db, { vmId, sessionId }),
    readVmProperties(db, vmId),
    readDefaults(db, tenantId),
  ]);
  return {
    access: row?.access ?? "nx",
    properties,
    parameters: row?.parameters ?? {},
    program: row?.program ?? null,
    defaults,
  };
}

function readRow(db: Db, { vmId, sessionId }: { readonly vmId: VmId; readonly sessionId: SessionId }) {
  return db
    .select({
      program: osfs.program,
      access: sessions.access,
      parameters: sessions.parameters,
    })
    .from(vms)
    .innerJoin(osfs, eq(osfs.id, vms.osfId))
    .leftJoin(sessions, eq(sessions.id, sessionId))
    .where(eq(vms.id, vmId));
}

/** The tenant's own go over the site's (tenant -1), so they come last. */
async function readDefaults(db: Db, tenantId: TenantId): Promise<GivenParameters> {
  const rows = await db
    .select({ name: settings.name, value: settings.value })
    .from(settings)
    .where(and(inArray(settings.tenantId, [SITE, tenantId]), inArray(settings.name, CLIENT_DEFAULT_NAMES)))
    .orderBy(asc(settings.tenantId));
  return clientDefaults(rows);
}
