/** The one writer of a desktop's wish: each change is a generation of its own, and a line of the trail. */

import { eq, sql } from "drizzle-orm";
import { vmReports, vms } from "../../db/schema/index.ts";
import { formatActor } from "../../domain/access/actor.ts";
import { needsNewWish } from "../../domain/session/needs-new-wish.ts";
import type { Context } from "../context.ts";
import { appendTrail } from "../trail.ts";
import type { FoundVm } from "./find.ts";

export type RecordedWish = {
  readonly generation: number;
  /** False when the same wish stood already and is being fulfilled. */
  readonly isNew: boolean;
};

/** Wants the desktop's row locked by the caller (`findVmFor`); `text` is what the trail says. */
export async function recordWish(
  inside: Context,
  vm: FoundVm,
  wanted: { readonly wish: "running" | "stopped"; readonly text: string },
): Promise<RecordedWish> {
  const isNew =
    wanted.wish === "running"
      ? needsNewWish({ ...vm, report: await readReport(inside, vm) })
      : vm.wish !== "stopped";
  if (!isNew) return { generation: vm.wishGeneration, isNew };
  const generation = vm.wishGeneration + 1;
  await inside.db
    .update(vms)
    .set({
      wish: wanted.wish,
      wishGeneration: generation,
      wishedAt: sql`qvd_now()`,
      wishedBy: formatActor(inside.actor),
    })
    .where(eq(vms.id, vm.id));
  await appendTrail(inside, {
    vmId: vm.id,
    code: "wish-recorded",
    text: wanted.text,
    wishGeneration: generation,
    detail: { wish: wanted.wish },
  });
  return { generation, isNew };
}

async function readReport(inside: Context, vm: FoundVm) {
  const [report] = await inside.db
    .select({ state: vmReports.state, generationSeen: vmReports.generationSeen })
    .from(vmReports)
    .where(eq(vmReports.vmId, vm.id));
  return report;
}
