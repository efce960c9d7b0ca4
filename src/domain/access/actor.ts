/** Who asks for a change. Each kind is proved elsewhere: people by auth, a desktop by its channel, a node by its role. */

import { assertNever } from "../../lib/errors.ts";
import type { AdministratorId, TenantId, UserId, VmId } from "../ids.ts";

export type AdministratorActor = {
  readonly kind: "administrator";
  readonly administratorId: AdministratorId;
  readonly login: string;
  /** 0 is the site itself: such an administrator sees every tenant. */
  readonly tenantId: TenantId;
  readonly tenantName: string;
  readonly acls: ReadonlySet<string>;
};

export type UserActor = {
  readonly kind: "user";
  readonly userId: UserId;
  readonly login: string;
  readonly tenantId: TenantId;
  readonly tenantName: string;
};

export type VmActor = { readonly kind: "vm"; readonly vmId: VmId };
export type NodeActor = { readonly kind: "node"; readonly name: string };
/** Our own programs on nobody's behalf, such as the set-up of a new site. */
export type SystemActor = { readonly kind: "system"; readonly what: string };

export type Actor = AdministratorActor | UserActor | VmActor | NodeActor | SystemActor;

/** As the audit log and the trail write it. */
export function formatActor(actor: Actor): string {
  switch (actor.kind) {
    case "administrator":
    case "user":
      return `${actor.kind}:${actor.login}@${actor.tenantName}`;
    case "vm":
      return `vm:${actor.vmId}`;
    case "node":
      return `node:${actor.name}`;
    case "system":
      return `system:${actor.what}`;
    default:
      return assertNever(actor);
  }
}
