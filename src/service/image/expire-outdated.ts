import { and, eq, inArray, sql } from "drizzle-orm";
import { vmReports, vms } from "../../db/schema/index.ts";
import type { DiId } from "../../domain/ids.ts";
import type { Context } from "../context.ts";
import type { FoundOsf } from "../osf/find.ts";

/**
 * After tags have moved to an image: desktops that run on another one, and follow such a tag, are given the
 * OSF's times until they are asked, and made, to restart. An earlier date stays, so that publishing every day
 * postpones nothing. Those that run on it already (a roll-back) have nothing to wait for any more.
 */
export async function expireOutdated(
  inside: Context,
  moved: { readonly osf: FoundOsf; readonly diId: DiId; readonly tags: readonly string[] },
): Promise<void> {
  const { osf, diId, tags } = moved;
  if (tags.length === 0) return;
  const inSeconds = (seconds: number | null) =>
    seconds === null ? sql`null::timestamptz` : sql`qvd_now() + make_interval(secs => ${seconds})`;
  const running = inside.db
    .select({ vmId: vmReports.vmId, diId: vmReports.diId })
    .from(vmReports)
    .innerJoin(vms, eq(vms.id, vmReports.vmId))
    .where(and(eq(vms.osfId, osf.id), inArray(vms.diTag, [...tags]), sql`${vmReports.state} <> 'stopped'`));
  const rows = await running;
  const outdated = rows.filter((row) => row.diId !== diId).map(({ vmId }) => vmId);
  const current = rows.filter((row) => row.diId === diId).map(({ vmId }) => vmId);
  if (outdated.length > 0)
    await inside.db
      .update(vms)
      .set({
        expiresSoftAt: sql`least(${vms.expiresSoftAt}, ${inSeconds(osf.expirySoftSeconds)})`,
        expiresHardAt: sql`least(${vms.expiresHardAt}, ${inSeconds(osf.expiryHardSeconds)})`,
      })
      .where(inArray(vms.id, outdated));
  if (current.length > 0)
    await inside.db
      .update(vms)
      .set({ expiresSoftAt: null, expiresHardAt: null })
      .where(inArray(vms.id, current));
}
