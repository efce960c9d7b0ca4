/**
 * Makes a desktop and allots what it keeps for life: its address on the desktop network and its slot of user
 * ids. Both are unique over the site, so desktops are allotted one at a time, under an advisory lock.
 */

import { eq, sql } from "drizzle-orm";
import { z } from "zod";
import { insertRow } from "../../db/insert.ts";
import { osfs, users, vms } from "../../db/schema/index.ts";
import { asId, type OsfId, type TenantId, type UserId, type VmId } from "../../domain/ids.ts";
import { LAST_SLOT } from "../../domain/node/id-range.ts";
import { nextFreeAddress, parseNetworkRange } from "../../domain/node/network-range.ts";
import { AppError } from "../../lib/errors.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, tagField, textField } from "../input.ts";
import { auditVm } from "./audit-vm.ts";

export const createVmInput = z.object({
  userId: idField<UserId>(),
  osfId: idField<OsfId>(),
  name: textField(1, 64),
  diTag: tagField.default("default"),
});

export type CreateVmDeps = {
  /** The site's desktop network, such as 10.77.0.0/16. */
  readonly networkRange: string;
};

/** Any number: it only has to differ from our other advisory locks. */
const ALLOT_LOCK = 5_101;

export async function createVm(
  context: Context,
  deps: CreateVmDeps,
  input: z.input<typeof createVmInput>,
): Promise<{ vmId: VmId; address: string }> {
  const { userId, osfId, name, diTag } = parseInput(createVmInput, input);
  const conflicts = {
    vms_tenant_id_name_key: { message: `a desktop ${name} exists already in this tenant`, field: "name" },
  };
  return await change(context, { doing: `create desktop ${name}`, conflicts }, async (inside) => {
    const tenantId = await findTenant(inside, userId, osfId);
    await inside.db.execute(sql`select pg_advisory_xact_lock(${ALLOT_LOCK})`);
    const address = await allotAddress(inside, deps.networkRange);
    const idSlot = await allotIdSlot(inside);
    const values = { tenantId, userId, osfId, name, diTag, address, idSlot };
    const vmId = asId<VmId>(await insertRow(inside.db, vms, values));
    await auditVm(inside, "vm.create", {
      vm: { id: vmId, tenantId, name },
      detail: { userId, osfId, diTag },
    });
    return { vmId, address };
  });
}

/** The tenant of both, after the right was checked: a desktop and its OSF are of its user's tenant. */
async function findTenant(inside: Context, userId: UserId, osfId: OsfId): Promise<TenantId> {
  const [user] = await inside.db
    .select({ tenantId: users.tenantId })
    .from(users)
    .where(eq(users.id, userId))
    .for("update");
  authorize(inside, "vm.create", {
    what: `user ${userId}`,
    ...(user === undefined ? {} : { tenantId: user.tenantId }),
  });
  if (user === undefined) {
    throw new AppError("bad-input", `user ${userId} does not exist`, { field: "userId" });
  }
  const [osf] = await inside.db.select({ tenantId: osfs.tenantId }).from(osfs).where(eq(osfs.id, osfId));
  if (osf?.tenantId !== user.tenantId) {
    throw new AppError("bad-input", `OSF ${osfId} does not exist in the user's tenant`, { field: "osfId" });
  }
  return user.tenantId;
}

/** The lowest that is free, so that a purged desktop's address is used again. */
async function allotAddress(inside: Context, networkRange: string): Promise<string> {
  const taken = await inside.db.select({ address: vms.address }).from(vms);
  const address = nextFreeAddress(parseNetworkRange(networkRange), new Set(taken.map((row) => row.address)));
  if (address === undefined) {
    throw new AppError(
      "conflict",
      `create a desktop: every address of ${networkRange} is taken; delete desktops or widen QVD_NETWORK_RANGE`,
    );
  }
  return address;
}

/** Likewise; counted in the database, which has the index. */
async function allotIdSlot(inside: Context): Promise<number> {
  const rows = await inside.db.execute<{ slot: number }>(sql`
    select slot from generate_series(0, ${LAST_SLOT}::int) slot
    where not exists (select from ${vms} where ${vms.idSlot} = slot) order by slot limit 1`);
  const slot = rows[0]?.slot;
  if (slot === undefined) {
    throw new AppError("conflict", `create a desktop: all ${LAST_SLOT + 1} ranges of user ids are taken`);
  }
  return slot;
}
