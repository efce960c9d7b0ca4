import { and, eq, isNull } from "drizzle-orm";
import { z } from "zod";
import { dis, nodes, osfs, users, vms } from "../../db/schema/index.ts";
import type { Action } from "../../domain/access/action.ts";
import {
  asId,
  type DiId,
  type NodeId,
  type OsfId,
  type TenantId,
  type UserId,
  type VmId,
} from "../../domain/ids.ts";
import { isOurKey, PROPERTY_KEY, PROPERTY_KINDS, type PropertyKind } from "../../domain/property/merge.ts";
import { isClientParameter } from "../../domain/session/client-parameters.ts";
import { AppError } from "../../lib/errors.ts";
import type { Context } from "../context.ts";
import { wholeNumber } from "../input.ts";

export const subjectInput = {
  kind: z.enum(PROPERTY_KINDS, { error: `must be one of ${PROPERTY_KINDS.join(", ")}` }),
  id: wholeNumber(1, 2 ** 31 - 1),
};

export const keyField = z
  .string({ error: "must be text" })
  .regex(PROPERTY_KEY, "must be 1 to 128 of A-Z a-z 0-9 . _ - and begin with a letter or digit")
  .refine(
    (key) => !isOurKey(key) || isClientParameter(key),
    "must not begin with qvd., which is for what QVD itself gives; only parameters of clients such as qvd.client.link may",
  );

/** The thing that a property belongs to, as far as rights and words need it. */
export type PropertySubject = {
  readonly kind: PropertyKind;
  readonly id: number;
  readonly name: string;
  /** Null of things of the site. */
  readonly tenantId: TenantId | null;
};

export const PROPERTY_ACTIONS = {
  user: "user.set-property",
  vm: "vm.set-property",
  node: "node.set-property",
  osf: "osf.set-property",
  image: "image.set-property",
} as const satisfies Record<PropertyKind, Action>;

type Given = { readonly kind: PropertyKind; readonly id: number };

export async function findPropertySubject({ db }: Context, { kind, id }: Given): Promise<PropertySubject> {
  const [row] = await read();
  if (row === undefined) throw new AppError("not-found", `${kind} ${id} does not exist`);
  return { kind, id, ...row };

  async function read(): Promise<readonly { name: string; tenantId: TenantId | null }[]> {
    switch (kind) {
      case "user":
        return await db
          .select({ name: users.login, tenantId: users.tenantId })
          .from(users)
          .where(eq(users.id, asId<UserId>(id)));
      case "vm":
        return await db
          .select({ name: vms.name, tenantId: vms.tenantId })
          .from(vms)
          .where(and(eq(vms.id, asId<VmId>(id)), isNull(vms.deletedAt)));
      case "osf":
        return await db
          .select({ name: osfs.name, tenantId: osfs.tenantId })
          .from(osfs)
          .where(eq(osfs.id, asId<OsfId>(id)));
      case "image":
        return await db
          .select({ name: dis.version, tenantId: osfs.tenantId })
          .from(dis)
          .innerJoin(osfs, eq(osfs.id, dis.osfId))
          .where(eq(dis.id, asId<DiId>(id)));
      case "node": {
        const found = await db
          .select({ name: nodes.name })
          .from(nodes)
          .where(eq(nodes.id, asId<NodeId>(id)));
        return found.map(({ name }) => ({ name, tenantId: null }));
      }
    }
  }
}

/** For `authorize`. */
export function accessSubject(subject: PropertySubject) {
  const { kind, id, tenantId } = subject;
  return { what: `${kind} ${id}`, ...(tenantId === null ? {} : { tenantId }) };
}
