/**
 * One wish for one desktop, as a person's click or a client's request gives it. When everybody comes at eight these are the
 * dearest thing that the database does, so it takes two statements that the server keeps and no transaction around them: the
 * desktop is read, its asker's right and the need for a wish are decided, and the wish is written with its audit row and its
 * line of the trail, in one statement, provided that the desktop is still as it was read. If not, all begins anew.
 */

import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { attemptDatabase } from "../../db/errors.ts";
import { executePrepared, prepared } from "../../db/prepared.ts";
import { vmReports, vms } from "../../db/schema/index.ts";
import { formatActor } from "../../domain/access/actor.ts";
import type { TenantId, UserId, VmId } from "../../domain/ids.ts";
import type { VmState } from "../../domain/vm/state.ts";
import { AppError } from "../../lib/errors.ts";
import { authorize } from "../authorize.ts";
import type { Context } from "../context.ts";
import { noSuchVm } from "./find.ts";
import { isNewWish, type RecordedWish, wishing } from "./record-wish.ts";
import { refuseBlocked } from "./refuse-blocked.ts";

export type OneWish = {
  readonly vmId: VmId;
  readonly wish: "running" | "stopped";
  /** What the trail says. */
  readonly text: string;
  /** What is attempted, for whoever reads of its failure. */
  readonly doing: string;
  /** The generation that the asker acted upon; an older one than the desktop's changes nothing. */
  readonly generation?: number | undefined;
};

/** Each try that fails has seen somebody else's wish or block come first. */
const MOST_TRIES = 10;

export async function wishOne(context: Context, wanted: OneWish): Promise<RecordedWish> {
  const { vmId, wish, doing, generation } = wanted;
  const action = wish === "running" ? "vm.wish-running" : "vm.wish-stopped";
  return await attemptDatabase(doing, async () => {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const vm = await readVm(context.db, vmId);
      if (vm === undefined) throw noSuchVm();
      const { tenantId, userId: ownerId, wishGeneration } = vm;
      authorize(context, action, { what: `desktop ${vmId}`, tenantId, ownerId, vmId });
      if (wish === "running") refuseBlocked(vm);
      const isLate = generation !== undefined && generation < wishGeneration;
      if (isLate || !isNewWish(vm, wish)) return { generation: wishGeneration, isNew: false };
      const origin = context.origin ?? null;
      const values = [vmId, wishGeneration, ownerId, vm.isBlocked, wish, wanted.text];
      const by = [formatActor(context.actor), action, origin];
      const [row] = await executePrepared<{ count: number }>(context.db, WRITE, [...values, ...by]);
      if (row?.count === 1) return { generation: wishGeneration + 1, isNew: true };
    }
    throw new AppError("unavailable", `${doing}: somebody else is changing the same thing; try again`);
  });
}

type ReadVm = {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly isBlocked: boolean;
  readonly wish: "running" | "stopped";
  readonly wishGeneration: number;
  readonly report: { readonly state: VmState; readonly generationSeen: number } | undefined;
};

/** One that is being deleted counts as gone. */
async function readVm(db: Db, vmId: VmId): Promise<ReadVm | undefined> {
  type Row = Omit<ReadVm, "report"> & { readonly state: VmState | null; readonly generationSeen: number };
  const [row] = await executePrepared<Row>(db, READ, [vmId]);
  if (row === undefined) return undefined;
  const { state, generationSeen, ...vm } = row;
  return { ...vm, report: state === null ? undefined : { state, generationSeen } };
}

const READ = prepared(
  ["int"],
  sql`select v.tenant_id as "tenantId", v.user_id as "userId", v.is_blocked as "isBlocked", v.wish,
    v.wish_generation::float8 as "wishGeneration", r.state, r.generation_seen::float8 as "generationSeen"
  from ${vms} v left join ${vmReports} r on r.vm_id = v.id where v.id = $1 and v.deleted_at is null`,
);

/** What was decided upon can't have changed: a block that came meanwhile, and each wish, is seen by the guard. */
const WRITE = prepared(
  ["int", "bigint", "int", "boolean", "text", "text", "text", "text", "text"],
  wishing({
    which: sql`id = $1 and wish_generation = $2 and user_id = $3 and is_blocked = $4 and deleted_at is null`,
    wish: sql`$5`,
    text: sql`$6`,
    actor: sql`$7`,
    audit: { action: sql`$8`, origin: sql`$9` },
  }),
);
