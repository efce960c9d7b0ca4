/** What decides whether a visit may go on: columns for a query of `visits` with `vms`, `sessions` and ASKER joined. */

import { sql } from "drizzle-orm";
import { type AdministratorId, asId, type TenantId } from "../../domain/ids.ts";
import type { VisitFacts } from "../../domain/visit/decide-visit-end.ts";
import { sessions, visits, vms } from "../schema/index.ts";

/** No visit is longer. */
const LIFE = sql`interval '1 day'`;

/** Brokers and nodes may not read administrators; the function tells of whose visit it is alone. */
export const ASKER = sql`qvd_visit_asker(${visits.id}) asker`;

const isSessionOver = sql`(${sessions.id} is not null and (${sessions.endedAt} is not null or ${sessions.supersededAt} is not null))`;

/** Alike for the session of the machine's person, which is another row than what is watched. */
const isPersonThere = sql<boolean>`(${visits.isYielding} and exists (select from sessions person where person.vm_id = ${visits.vmId}
  and person.access = 'console' and person.connected_at is not null and person.ended_at is null and person.superseded_at is null))`;

export const VISIT_FACTS = {
  kind: visits.kind,
  mayControl: visits.mayControl,
  tenantId: vms.tenantId,
  isEnded: sql<boolean>`${visits.endedAt} is not null`,
  endCause: visits.endCause,
  isOutlived: sql<boolean>`(${isSessionOver} or ${visits.askedAt} < qvd_now() - ${LIFE})`,
  isPersonThere,
  isByRight: sql<boolean>`${visits.administratorId} is not null`,
  askerId: sql<number | null>`asker.administrator_id`,
  askerTenantId: sql<number | null>`asker.tenant_id`,
  login: sql<string | null>`asker.login`,
  tenantName: sql<string | null>`asker.tenant_name`,
  acls: sql<readonly string[] | null>`asker.acls`,
  isSignedOut: sql<boolean>`coalesce(asker.is_signed_out, false)`,
};

type Row = Omit<VisitFacts, "asker"> & {
  readonly askerId: number | null;
  readonly askerTenantId: number | null;
  readonly login: string | null;
  readonly tenantName: string | null;
  readonly acls: readonly string[] | null;
};

export function factsOf({ askerId, askerTenantId, login, tenantName, acls, ...facts }: Row): VisitFacts {
  if (askerId === null) return { ...facts, asker: undefined };
  const asker = {
    kind: "administrator",
    administratorId: asId<AdministratorId>(askerId),
    login: login ?? "",
    tenantId: asId<TenantId>(askerTenantId ?? -1),
    tenantName: tenantName ?? "",
    acls: new Set(acls ?? []),
  } as const;
  return { ...facts, asker };
}
