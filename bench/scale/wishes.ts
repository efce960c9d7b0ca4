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
import { wishVms } from "../../src/service/vm/wish-many.ts";
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

export type Orders =
  /** As at eight in the morning: an administrator's orders for many, and people's own beside; as fast as they are taken. */
  | { readonly kind: "mixed" }
  /** One by one, as fast as they are taken or so many a second. */
  | { readonly kind: "single"; readonly perSecond?: number };

export type Wishing = {
  /** Wishes for all and waits until all is so. */
  round(vmIds: readonly VmId[], wish: Wished, orders: Orders): Promise<Round>;
  stop(): void;
};

const PEOPLE = 16;
const ADMINISTRATORS = 2;
/** Desktops of an administrator's order, and every how manieth desktop is ordered by itself. */
export const ORDER_SIZE = 500;
export const SINGLE_EVERY = 5;
const DEADLINE_MS = 600_000;

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
    round: async (vmIds, wish, orders) => {
      const startedMs = performance.now();
      const queues = split(vmIds, orders.kind);
      const pace = orders.kind === "single" ? orders.perSecond : undefined;
      const byPeople = async () => {
        const verb = wish === "running" ? wishVmRunning : wishVmStopped;
        for (let next = queues.single.shift(); next && !signal.aborted; next = queues.single.shift()) {
          const [index, vmId] = next;
          if (pace !== undefined)
            await sleep(Math.max(1, startedMs + (index * 1000) / pace - performance.now()), signal);
          await verb(context, { vmId });
          notices.add({ topic: "vm", vmId });
        }
      };
      const byAdministrators = async () => {
        for (let next = queues.many.shift(); next && !signal.aborted; next = queues.many.shift()) {
          const { wished } = await wishVms(context, { vmIds: [...next], wish });
          for (const vmId of wished) notices.add({ topic: "vm", vmId });
        }
      };
      await Promise.all([
        ...Array.from({ length: PEOPLE }, byPeople),
        ...Array.from({ length: ADMINISTRATORS }, byAdministrators),
      ]);
      const last = vmIds.at(-1);
      if (last === undefined) throw new Error("a round needs desktops");
      await untilTrue(via.owner, last, wish, signal);
      return await readRound(via.owner, last, (performance.now() - startedMs) / 1000);
    },
  };
}

function split(vmIds: readonly VmId[], kind: Orders["kind"]) {
  const isSingle = (index: number) => kind === "single" || index % SINGLE_EVERY === 0;
  const rest = vmIds.filter((_, index) => !isSingle(index));
  const orders = Math.ceil(rest.length / ORDER_SIZE);
  return {
    single: [...vmIds.entries()].filter(([index]) => isSingle(index)),
    many: Array.from({ length: orders }, (_, n) => rest.slice(n * ORDER_SIZE, (n + 1) * ORDER_SIZE)),
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
    // Counting 25,000 costs as much as twenty operations: while many are left it is asked rarely.
    await sleep(Math.min(10_000, 250 + (row?.left ?? 0) / 2), signal);
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
