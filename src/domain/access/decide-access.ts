/** The one decision about rights: may this actor do this to that? Pure; the service layer obeys it. */

import { assertNever } from "../../lib/errors.ts";
import type { TenantId, UserId, VmId } from "../ids.ts";
import { ACTIONS, type Action, type ActionRule } from "./action.ts";
import type { Actor, AdministratorActor } from "./actor.ts";

/** What the action is about, as far as rights depend on it. */
export type Subject = {
  readonly tenantId?: TenantId;
  readonly ownerId?: UserId;
  readonly vmId?: VmId;
};

/** `hidden`: the actor may not even learn that the thing exists. */
export type Access = "allowed" | "forbidden" | "hidden";

export function decideAccess(actor: Actor, action: Action, subject: Subject): Access {
  const rule: ActionRule = ACTIONS[action];
  const also = rule.also ?? [];
  switch (actor.kind) {
    case "system":
      return "allowed";
    case "administrator":
      return decideForAdministrator(actor, rule, subject);
    case "user":
      return also.includes("owner") && subject.ownerId === actor.userId ? "allowed" : "forbidden";
    case "vm":
      return also.includes("vm") && subject.vmId === actor.vmId ? "allowed" : "forbidden";
    case "node":
      return also.includes("node") ? "allowed" : "forbidden";
    default:
      return assertNever(actor);
  }
}

function decideForAdministrator(actor: AdministratorActor, rule: ActionRule, subject: Subject): Access {
  if (rule.forAdministrators === false) return "forbidden";
  if (!hasAcl(actor.acls, rule.acl)) return "forbidden";
  if (isOfSite(actor)) return "allowed";
  if (rule.scope === "site") return "forbidden";
  return subject.tenantId === actor.tenantId ? "allowed" : "hidden";
}

export function hasAcl(acls: ReadonlySet<string>, acl: string): boolean {
  return acls.has("*") || acls.has(acl);
}

/** Administrators of the tenant `*` run the site and see every tenant. */
export function isOfSite(actor: AdministratorActor): boolean {
  return actor.tenantId === 0;
}

/** The tenant that an administrator's lists are limited to; undefined means all of them. */
export function visibleTenant(actor: AdministratorActor): TenantId | undefined {
  return isOfSite(actor) ? undefined : actor.tenantId;
}
