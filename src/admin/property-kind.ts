/** Whose properties an address names, once it is sure that this administrator may see the thing. */

import { readDesktop } from "../db/queries/desktops.ts";
import { readImage } from "../db/queries/images.ts";
import { readNode } from "../db/queries/nodes.ts";
import { readOsf } from "../db/queries/osfs.ts";
import { readUser } from "../db/queries/users.ts";
import type { DiId, NodeId, OsfId, UserId, VmId } from "../domain/ids.ts";
import { PROPERTY_KINDS, type PropertyKind } from "../domain/property/merge.ts";
import { AppError } from "../lib/errors.ts";
import type { AdminDeps } from "./deps.ts";
import type { AdminContext } from "./env.ts";
import { found, idParam, requireSite, tenantOf } from "./visible.ts";

export type PropertyOwner = {
  readonly kind: PropertyKind;
  readonly id: number;
  /** What people call it. */
  readonly name: string;
  /** Its page, or the list that shows it. */
  readonly href: string;
};

/** Throws `not-found` for what isn't there, or isn't this administrator's to see. */
export async function readPropertyOwner(deps: AdminDeps, c: AdminContext): Promise<PropertyOwner> {
  const kind = PROPERTY_KINDS.find((one) => one === c.req.param("kind"));
  if (kind === undefined)
    throw new AppError("not-found", `Properties are of one of ${PROPERTY_KINDS.join(", ")}.`);
  switch (kind) {
    case "user": {
      const user = found(await readUser(deps.db, idParam<UserId>(c, "user"), tenantOf(c)), "user");
      return { kind, id: user.id, name: user.login, href: `/users/${user.id}` };
    }
    case "vm": {
      const vm = found(await readDesktop(deps.db, idParam<VmId>(c, "desktop"), tenantOf(c)), "desktop");
      return { kind, id: vm.id, name: vm.name, href: `/desktops/${vm.id}` };
    }
    case "osf": {
      const osf = found(await readOsf(deps.db, idParam<OsfId>(c, "flavour"), tenantOf(c)), "flavour");
      return { kind, id: osf.id, name: osf.name, href: "/images" };
    }
    case "image": {
      const image = found(await readImage(deps.db, idParam<DiId>(c, "image"), tenantOf(c)), "image");
      return { kind, id: image.id, name: `${image.osf}:${image.version}`, href: "/images" };
    }
    case "node": {
      requireSite(c);
      const node = found(await readNode(deps.db, idParam<NodeId>(c, "node")), "node");
      return { kind, id: node.id, name: node.name, href: "/nodes" };
    }
  }
}
