/** The people and programs that start and stop desktops: the service's own verbs, as the admin process runs them. */

import { sql } from "drizzle-orm";
import type { Database, Db } from "../../src/db/client.ts";
import type { AdministratorId, NodeId, TenantId, VmId } from "../../src/domain/ids.ts";
import { silentLog } from "../../src/lib/log.ts";
import { sleep } from "../../src/lib/wait.ts";
import { gatherWakes } from "../../src/node/gather-wakes.ts";
import { placeDesktops } from "../../src/node/place-desktops.ts";
import { reportWakes } from "../../src/node/report/report-wakes.ts";
import type { Context } from "../../src/service/context.ts";
import { wishVmRunning } from "../../src/service/vm/wish-running.ts";
import { wishVmStopped } from "../../src/service/vm/wish-stopped.ts";
import { parseWake } from "../../src/wire/wake/messages.ts";

export type Round = {
  readonly seconds: number;
  readonly operationsPerSecond: number;
  /** From the wish to its being true, by the database's clock; milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
};

export type Wished = "running" | "stopped";

export type Wishing = {
  /** Wishes for all and waits until all is so; `perSecond` paces the wishes, else as fast as they are taken. */
  round(vmIds: readonly VmId[], wish: Wished, perSecond?: number): Promise<Round>;
  stop(): void;
};

const AT_ONCE = 24;
const DEADLINE_MS = 300_000;

/** `admin` and `node` through the pool, as the processes of one box have them; `owner` looks on. */
export function startWishing(
  via: { readonly admin: Database; readonly node: Database; readonly owner: Db },
  signal: AbortSignal,
): Wishing {
  const notices = openNotices(via.node.orm);
  const context: Context = {
    db: via.admin.orm,
    actor: {
      kind: "administrator",
      administratorId: 1 as AdministratorId,
      login: "admin",
      tenantId: 0 as TenantId,
      tenantName: "*",
      acls: new Set(["*"]),
    },
  };
  return {
    stop: () => notices.stop(),
    round: async (vmIds, wish, perSecond) => {
      const startedMs = performance.now();
      const verb = wish === "running" ? wishVmRunning : wishVmStopped;
      const queue = [...vmIds.entries()];
      const work = async () => {
        for (let next = queue.shift(); next !== undefined && !signal.aborted; next = queue.shift()) {
          const [index, vmId] = next;
          if (perSecond !== undefined)
            await sleep(Math.max(1, startedMs + (index * 1000) / perSecond - performance.now()), signal);
          await verb(context, { vmId });
          notices.add({ topic: "vm", vmId });
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      const last = vmIds.at(-1);
      if (last === undefined) throw new Error("a round needs desktops");
      await untilTrue(via.owner, last, wish, signal);
      return await readRound(via.owner, last, (performance.now() - startedMs) / 1000);
    },
  };
}

/** The node process of the wishers' box: gathers their wakes, at most ten times a second, and places what has no node. */
function openNotices(db: Db) {
  const node = { nodeId: 0 as NodeId, name: "node1" };
  const log = silentLog();
  let isPlacing = false;
  const place = async () => {
    if (isPlacing) return;
    isPlacing = true;
    for (const vmId of await placeDesktops({ db, node, log })) notices.add({ topic: "vm", vmId });
    isPlacing = false;
  };
  const send = (payload: string) => {
    const wakes = payload.split("\n").map(parseWake);
    const known = wakes.filter((wake) => wake !== undefined);
    reportWakes(db, known, node.nodeId)
      .then(place)
      .catch((error) => log.debug("notice-not-sent", { error }));
  };
  const notices = gatherWakes(send, () => 5_000);
  return notices;
}

/** Desktops are wished in the order of their ids, from the first. */
async function untilTrue(owner: Db, last: VmId, wish: Wished, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  for (;;) {
    const [row] = await owner.execute<{ left: number }>(sql`
      select count(*)::int as left from vms v left join vm_reports r on r.vm_id = v.id and r.state = ${wish}
      where v.id <= ${last} and r.vm_id is null`);
    if ((row?.left ?? 0) === 0 || signal.aborted) return;
    if (performance.now() > deadlineMs)
      throw new Error(`${row?.left} desktops are not ${wish} after ${DEADLINE_MS} ms`);
    await sleep(250, signal);
  }
}

async function readRound(owner: Db, last: VmId, seconds: number): Promise<Round> {
  const [row] = await owner.execute<{ count: number; p50: number; p99: number }>(sql`
    select count(*)::int as count, percentile_cont(0.5) within group (order by ms) as p50,
      percentile_cont(0.99) within group (order by ms) as p99
    from (select extract(epoch from r.state_at - v.wished_at)::float8 * 1000 as ms
      from vms v join vm_reports r on r.vm_id = v.id where v.id <= ${last}) t`);
  const operationsPerSecond = (row?.count ?? 0) / seconds;
  return { seconds, operationsPerSecond, p50Ms: row?.p50 ?? Number.NaN, p99Ms: row?.p99 ?? Number.NaN };
}
