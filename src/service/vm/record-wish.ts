/** The one writer of desktops' wishes: each change is a generation of its own, and a line of the trail. */

import { eq, type SQL, sql } from "drizzle-orm";
import { auditLog, vmEvents, vmReports, vms } from "../../db/schema/index.ts";
import type { Action } from "../../domain/access/action.ts";
import { formatActor } from "../../domain/access/actor.ts";
import type { VmId } from "../../domain/ids.ts";
import { needsNewWish, type WishedDesktop } from "../../domain/session/needs-new-wish.ts";
import type { Context } from "../context.ts";
import type { FoundVm } from "./find.ts";

export type RecordedWish = {
  readonly generation: number;
  /** False when the same wish stood already and is being fulfilled. */
  readonly isNew: boolean;
};

export type WantedWish = {
  readonly wish: "running" | "stopped";
  /** What the trail says. */
  readonly text: string;
  /** What the audit log calls it; without, the caller writes the audit row. */
  readonly action?: Action;
};

/** Wants the desktop's row locked by the caller (`findVmFor`). */
export async function recordWish(inside: Context, vm: FoundVm, wanted: WantedWish): Promise<RecordedWish> {
  const report = wanted.wish === "running" ? await readReport(inside, vm) : undefined;
  if (!isNewWish({ ...vm, report }, wanted.wish)) return { generation: vm.wishGeneration, isNew: false };
  await recordWishes(inside, [vm.id], wanted);
  return { generation: vm.wishGeneration + 1, isNew: true };
}

/** Whether the wish is another than the one that stands. */
export function isNewWish(desktop: WishedDesktop, wish: "running" | "stopped"): boolean {
  return wish === "running" ? needsNewWish(desktop) : desktop.wish !== "stopped";
}

/** Writes the wish of each, whatever stood before; wants their rows locked. One statement for all. */
export async function recordWishes(
  inside: Context,
  vmIds: readonly VmId[],
  wanted: WantedWish,
): Promise<void> {
  if (vmIds.length === 0) return;
  await inside.db.execute(
    wishing({
      which: sql`id = any (${`{${vmIds.join(",")}}`}::int[])`,
      wish: sql`${wanted.wish}::text`,
      text: sql`${wanted.text}::text`,
      actor: sql`${formatActor(inside.actor)}::text`,
      audit:
        wanted.action === undefined
          ? undefined
          : { action: sql`${wanted.action}::text`, origin: sql`${inside.origin ?? null}::text` },
    }),
  );
}

export type WishParts = {
  readonly which: SQL;
  readonly wish: SQL;
  readonly text: SQL;
  readonly actor: SQL;
  readonly audit: { readonly action: SQL; readonly origin: SQL } | undefined;
};

/**
 * The statement that writes wishes, each with its line of the trail and its audit row; it returns how many. Its parts are
 * values or, in a statement that the server keeps, their places.
 */
export function wishing(parts: WishParts): SQL {
  return sql`with ${wishedParts(parts)} select count(*)::int as count from wished`;
}

/** The same as a part of a statement that writes more: `wished` has those that were. */
export function wishedParts({ which, wish, text, actor, audit }: WishParts): SQL {
  const audited =
    audit &&
    sql`, audited as (
      insert into ${auditLog} (actor, origin, action, tenant_id, subject_kind, subject_id, subject_name)
      select ${actor}, ${audit.origin}, ${audit.action}, tenant_id, 'vm', id, name from wished
    )`;
  return sql`wished as (
      update ${vms} set wish = ${wish}, wish_generation = wish_generation + 1, wished_at = qvd_now(),
        wished_by = ${actor}
      where ${which} returning id, tenant_id, name, wish_generation
    ), told as (
      insert into ${vmEvents} (vm_id, code, text, wish_generation, actor, detail)
      select id, 'wish-recorded', ${text}, wish_generation, ${actor}, jsonb_build_object('wish', ${wish}) from wished
    )${audited ?? sql``}`;
}

async function readReport(inside: Context, vm: FoundVm) {
  const [report] = await inside.db
    .select({ state: vmReports.state, generationSeen: vmReports.generationSeen })
    .from(vmReports)
    .where(eq(vmReports.vmId, vm.id));
  return report;
}
