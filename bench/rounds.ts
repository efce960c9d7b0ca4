/** What the benchmarks of whole desktops share: people, their desktops, and waiting for what the trail says. */

import { eq, inArray, sql } from "drizzle-orm";
import type { Database } from "../src/db/client.ts";
import { dis, vmEvents, vmReports } from "../src/db/schema/index.ts";
import type { DiId, VmId } from "../src/domain/ids.ts";
import type { VmEventCode } from "../src/domain/vm/event.ts";
import type { VmState } from "../src/domain/vm/state.ts";
import { waitFor } from "../src/lib/wait.ts";
import { wishVmRunning } from "../src/service/vm/wish-running.ts";
import { wishVmStopped } from "../src/service/vm/wish-stopped.ts";
import type { BenchBox } from "./box.ts";

/** Wishes, and waits until all of them are there. */
export async function bringTo(
  box: BenchBox,
  vmIds: readonly VmId[],
  state: "running" | "stopped",
): Promise<void> {
  const context = { db: box.database.orm, actor: { kind: "system", what: "bench" } } as const;
  for (const vmId of vmIds) {
    if (state === "running") await wishVmRunning(context, { vmId });
    else await wishVmStopped(context, { vmId });
  }
  box.wake();
  await waitForState(box, vmIds, state);
}

export async function waitForState(box: BenchBox, vmIds: readonly VmId[], state: VmState): Promise<void> {
  const isThere = await waitFor(
    async () => {
      const rows = await box.database.orm
        .select({ state: vmReports.state })
        .from(vmReports)
        .where(inArray(vmReports.vmId, [...vmIds]));
      // A desktop that was never reported is stopped.
      const there = rows.filter((row) => row.state === state).length;
      return there === (state === "stopped" ? rows.length : vmIds.length);
    },
    { timeoutMs: 180_000, everyMs: 100 },
  );
  if (!isThere) throw new Error(`desktops ${vmIds.join(", ")} did not become ${state} in 3 minutes`);
}

/** Waits until the node has verified an image. */
export async function waitForImage(database: Database, diId: DiId): Promise<void> {
  const row = await waitFor(
    async () => {
      const [found] = await database.orm.select().from(dis).where(eq(dis.id, diId));
      return found?.state === "ready" || found?.state === "failed" ? found : undefined;
    },
    { timeoutMs: 180_000, everyMs: 200 },
  );
  if (row?.state !== "ready")
    throw new Error(`the image is not ready: ${row?.fault ?? "no answer in 3 minutes"}`);
}

/** Waits until the last session's end has been recorded and its X session is suspended, so that rounds don't overlap. */
export async function waitForSuspended(box: BenchBox, vmId: VmId, everyMs = 50): Promise<void> {
  const isThere = await waitFor(
    async () => {
      const [row] = await box.database.orm
        .select({ xState: vmReports.xState })
        .from(vmReports)
        .where(eq(vmReports.vmId, vmId));
      return row?.xState === "suspended";
    },
    { timeoutMs: 60_000, everyMs },
  );
  if (!isThere) throw new Error(`the X session of desktop ${vmId} was not suspended in a minute`);
}

/** When each code came last, in milliseconds since 1970 by the database's clock, which is this machine's. */
export async function readTrailTimes(
  box: BenchBox,
  vmId: VmId,
  codes: readonly VmEventCode[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await box.database.orm
    .select({ code: vmEvents.code, atMs: sql<string>`max(extract(epoch from ${vmEvents.at})) * 1000` })
    .from(vmEvents)
    .where(sql`${vmEvents.vmId} = ${vmId} and ${inArray(vmEvents.code, [...codes])}`)
    .groupBy(vmEvents.code);
  return new Map(rows.map((row) => [row.code, Number(row.atMs)]));
}
