/** What a session is made of besides what its client said: properties, its application's program, the site's defaults. */

import { sql } from "drizzle-orm";
import type { SessionId, TenantId, VmId } from "../../domain/ids.ts";
import { mergeProperties, type Properties, type SourcedProperty } from "../../domain/property/merge.ts";
import { CLIENT_DEFAULT_NAMES, clientDefaults } from "../../domain/session/client-defaults.ts";
import type { GivenParameters } from "../../domain/session/client-parameters.ts";
import type { Db } from "../client.ts";
import { formatLiteral } from "../literal.ts";
import { executePrepared, prepared } from "../prepared.ts";
import { osfs, sessions, settings, vms } from "../schema/index.ts";
import type { SessionAccess } from "../schema/sessions.ts";
import { selectVmProperties } from "./properties.ts";

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

/** In one statement that the server keeps: a person waits, and a crowd of them does at once. */
export async function readSessionParts(
  db: Db,
  {
    vmId,
    tenantId,
    sessionId,
  }: { readonly vmId: VmId; readonly tenantId: TenantId; readonly sessionId: SessionId },
): Promise<SessionParts> {
  const [row] = await executePrepared<PartsRow>(db, PARTS, [vmId, tenantId, sessionId]);
  const properties = mergeProperties(row?.properties ?? []);
  return {
    access: row?.access ?? "nx",
    properties: Object.fromEntries(properties.map(({ key, value }) => [key, value])),
    parameters: row?.parameters ?? {},
    program: row?.program ?? null,
    defaults: clientDefaults(row?.defaults ?? []),
  };
}

type PartsRow = {
  readonly access: SessionAccess | null;
  readonly parameters: GivenParameters | null;
  readonly program: string | null;
  readonly properties: readonly SourcedProperty[];
  readonly defaults: readonly { readonly name: string; readonly value: unknown }[];
};

const DEFAULT_NAMES = sql.raw(CLIENT_DEFAULT_NAMES.map(formatLiteral).join(", "));

/** The tenant's own defaults go over the site's (tenant -1), so they come last. */
const PARTS = prepared(
  ["int", "int", "bigint"],
  sql`select s.access, s.parameters, o.program,
    coalesce((select jsonb_agg(jsonb_build_object('from', p."from", 'key', p.key, 'value', p.value) order by p.key)
      from (${selectVmProperties(sql.raw("$1"))}) p), '[]') as properties,
    coalesce((select jsonb_agg(jsonb_build_object('name', d.name, 'value', d.value) order by d.tenant_id)
      from ${settings} d where d.tenant_id in (-1, $2) and d.name in (${DEFAULT_NAMES})), '[]') as defaults
  from ${vms} v join ${osfs} o on o.id = v.osf_id left join ${sessions} s on s.id = $3
  where v.id = $1`,
);
