/** From what is read to what the API answers. Fields that the API doesn't promise stay out. */

import type { AdministratorRow } from "../../db/queries/administrators.ts";
import type { AuditRow } from "../../db/queries/audit.ts";
import type { DesktopRow } from "../../db/queries/desktops.ts";
import type { ImageRow } from "../../db/queries/images.ts";
import type { NodeRow } from "../../db/queries/nodes.ts";
import type { OsfRow } from "../../db/queries/osfs.ts";
import type { SessionRow } from "../../db/queries/sessions.ts";
import type { TenantFacts } from "../../db/queries/tenants.ts";
import type { TrailRow } from "../../db/queries/trail.ts";
import type { UserRow } from "../../db/queries/users.ts";
import { explainEnd } from "../../domain/session/explain-end.ts";
import { sessionPhase } from "../../domain/session/session-phase.ts";
import { isLost, listNodeProblems, readNodeFacts } from "../pages/nodes/describe.ts";
import type {
  AdministratorShape,
  AuditShape,
  EventShape,
  ImageShape,
  NodeShape,
  OsfShape,
  SessionShape,
  TenantShape,
  UserShape,
  VmShape,
} from "./shapes.ts";

export function userShape(row: UserRow): UserShape {
  const { id, login, fullName, tenant, isBlocked, desktops } = row;
  return { id, login, fullName, tenant, isBlocked, desktops, createdAt: row.createdAt.toISOString() };
}

export function tenantShape({ createdAt, ...row }: TenantFacts): TenantShape {
  return { ...row, createdAt: createdAt.toISOString() };
}

export function administratorShape(row: AdministratorRow): AdministratorShape {
  const { id, login, tenant, roles, provider, isBlocked, hasSecondFactor, createdAt, seenAt } = row;
  const times = { createdAt: createdAt.toISOString(), seenAt: instant(seenAt) };
  return { id, login, tenant, roles, provider, isBlocked, hasSecondFactor, ...times };
}

/** The tenant stays out: who may see the row knows whose it is by its subject. */
export function auditShape({ tenantId: _, at, detail, ...row }: AuditRow): AuditShape {
  return { ...row, at: at.toISOString(), detail: detail ?? null };
}

export function vmShape(row: DesktopRow): VmShape {
  const { id, name, tenant, userId, user, osfId, osf, tag, address } = row;
  const { isBlocked, blockedReason, wish, state, xState, isConnected, runningVersion, node, fault } = row;
  const observed = { state, stateAt: instant(row.stateAt), xState, isConnected, runningVersion, node, fault };
  const made = { isBlocked, blockedReason, wish, createdAt: row.createdAt.toISOString() };
  return { id, name, tenant, userId, user, osfId, osf, tag, address, ...made, ...observed };
}

export function eventShape(row: TrailRow): EventShape {
  const { id, code, text, actor, node } = row;
  return { id, at: row.at.toISOString(), code, text, actor, node };
}

export function osfShape(row: OsfRow): OsfShape {
  const { tenantId: _tenant, createdAt: _made, tags: _tags, ...shown } = row;
  return shown;
}

export function imageShape(row: ImageRow): ImageShape {
  const { id, osfId, osf, version, fileName, state, fault, sizeBytes, sha256, isBlocked } = row;
  const { kind, sourceUrl, doneBytes, totalBytes, running } = row;
  const more = { kind, sourceUrl, doneBytes, totalBytes, running };
  const times = { publishedAt: instant(row.publishedAt), retiredAt: instant(row.retiredAt) };
  const tags = row.tags.filter((tag) => !tag.isFixed).map(({ tag }) => tag);
  const createdAt = row.createdAt.toISOString();
  const base = { id, osfId, osf, version, fileName, state, fault, sizeBytes, sha256, tags, isBlocked };
  return { ...base, ...more, ...times, createdAt };
}

export function nodeShape(row: NodeRow): NodeShape {
  const { id, name, isBlocked, isLeaseValid, desktops, running, drain, address, weight } = row;
  const state = isLost(row) ? ("lost" as const) : row.state;
  const place = { drain, address, weight, hasSharedStorage: row.sharedId !== null };
  const problems = listNodeProblems(row).map((problem) => `${problem.text} ${problem.advice}`);
  const strangers = [...(isLost(row) ? [] : (readNodeFacts(row)?.strangers ?? []))];
  const times = { leaseValidUntil: instant(row.leaseValidUntil), reportedAt: instant(row.reportedAt) };
  return {
    id,
    name,
    isBlocked,
    state,
    ...place,
    isLeaseValid,
    ...times,
    desktops,
    running,
    problems,
    strangers,
  };
}

export function sessionShape(row: SessionRow): SessionShape {
  const { id, vmId, vm, userId, user, tenant, access, node, clientAddress, bytesToClient, bytesFromClient } =
    row;
  const times = {
    requestedAt: row.requestedAt.toISOString(),
    connectedAt: instant(row.connectedAt),
    endedAt: instant(row.endedAt),
  };
  const end = { endCause: row.endCause, endReason: explainEnd(row), endWishedBy: row.endWishedBy };
  const how = { state: sessionPhase(row), preparation: row.state, access, node, clientAddress };
  return { id, vmId, vm, userId, user, tenant, ...how, ...times, ...end, bytesToClient, bytesFromClient };
}

function instant(at: Date | null): string | null {
  return at === null ? null : at.toISOString();
}
