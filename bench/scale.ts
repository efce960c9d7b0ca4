/**
 * How many desktops one database carries: a site of 25,000 desktops on 2,000 simulated nodes, whose loops, leases,
 * wakes and reports are the product's own and whose desktops cost nothing, behind a real PgBouncer. Starts
 * and stops are counted, nothing else, once a desktop is reported to be so. Four of five are ordered by administrators, 500 at
 * a time, the fifth by its person; one round has them ordered one by one. All of it shares this machine, the nodes' processes too.
 *
 * `QVD_SCALE=500x40` makes a smaller site.
 */

import { mkdirSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { sql } from "drizzle-orm";
import { openDatabase } from "../src/db/client.ts";
import { migrate } from "../src/db/migrate.ts";
import type { DiId } from "../src/domain/ids.ts";
import { sleep, waitFor } from "../src/lib/wait.ts";
import { type Bench, type BenchIo, type Figure, figure } from "./bench.ts";
import { type ScaleDatabase, startDatabase, use } from "./scale/database.ts";
import type { NodesOptions } from "./scale/nodes.ts";
import { type ScaleSite, seedSite } from "./scale/seed.ts";
import { listStatements, resetStatements } from "./scale/statements.ts";
import { type Round, startWishing } from "./scale/wishes.ts";

const FOLDER = `/var/tmp/qvd-bench-scale-${process.pid}`;
// As many as processors: more only compile and collect more.
const PROCESSES = 2;
const IDLE_MS = 20_000;
const PACED_PER_SECOND = 200;
const READY_MS = 300_000;
const GOAL_PER_SECOND = 1_000;
const STATED = "Leostream states at most 250 (usually 20–50)";

export const scaleBench: Bench = {
  name: "scale",
  summary: "operations/s, time from wish to running, idle load and memory of a large site on one PostgreSQL",
  needs: ["postgresql-15", "pgbouncer"],
  run: (io) => runScale(io, sizeOf(process.env.QVD_SCALE ?? "25000x2000")),
};

export type ScaleSize = {
  readonly desktops: number;
  readonly nodes: number;
  /** How long the quiet site is watched. */
  readonly idleMs: number;
};

/** `25000x2000`: desktops and nodes. */
export function sizeOf(text: string): ScaleSize {
  const match = /^(\d+)x(\d+)$/.exec(text);
  if (match === null) throw new Error(`QVD_SCALE=${text} is no size such as 25000x2000`);
  return { desktops: Number(match[1]), nodes: Number(match[2]), idleMs: IDLE_MS };
}

export async function runScale(io: BenchIo, size: ScaleSize, folder = FOLDER): Promise<Figure[]> {
  const database = await startDatabase(folder);
  const files = `/dev/shm/${basename(folder)}`;
  mkdirSync(files, { recursive: true });
  await migrate(database.direct("qvd_owner"));
  const owner = openDatabase(database.direct("qvd_owner"), { max: 2 });
  const processes: Bun.Subprocess<"ignore", "pipe", "inherit">[] = [];
  try {
    const site = await seedSite(owner.orm, size);
    io.say(`${size.desktops} desktops, ${size.nodes} nodes; starting the nodes`);
    processes.push(...(await startNodes(database, site, files)));
    const pids = processes.map(({ pid }) => pid);
    const figures = await measure(io, { database, site, owner, pids, idleMs: size.idleMs });
    if (io.signal.aborted)
      throw new Error(`broken off by ${String(io.signal.reason)}: half a round is no figure`);
    return figures;
  } finally {
    for (const one of processes) one.kill("SIGKILL");
    await Promise.all(processes.map((one) => one.exited));
    await owner.close();
    await database.close();
    rmSync(files, { recursive: true, force: true });
  }
}

type Scene = {
  readonly database: ScaleDatabase;
  readonly site: ScaleSite;
  readonly owner: ReturnType<typeof openDatabase>;
  readonly pids: readonly number[];
  readonly idleMs: number;
};

async function startNodes(database: ScaleDatabase, site: ScaleSite, folder: string) {
  const program = new URL("scale/nodes.ts", import.meta.url).pathname;
  const share = Math.ceil(site.nodeIds.length / PROCESSES);
  const processes = Array.from({ length: PROCESSES }, (_, index) => {
    const nodeIds = site.nodeIds.slice(index * share, (index + 1) * share);
    const options: NodesOptions = { nodeIds, address: database.pooled("qvd_node"), folder, diId: 1 as DiId };
    const command = [process.execPath, program, JSON.stringify(options)];
    return Bun.spawn(command, { stdio: ["ignore", "pipe", "inherit"] });
  });
  const isReady = processes.map(async (one) => {
    const { value } = await one.stdout.getReader().read();
    if (value === undefined) throw new Error("a process of nodes ended before its nodes ran");
  });
  const ready = Promise.all(isReady).then(() => true);
  const isInTime = await Promise.race([ready, sleep(READY_MS).then(() => false)]);
  if (!isInTime) throw new Error(`the nodes were not up after ${READY_MS} ms`);
  return processes;
}

async function measure(io: BenchIo, scene: Scene): Promise<Figure[]> {
  const { database, site, owner } = scene;
  const idle = await measureIdle(io, scene);
  const admin = openDatabase(database.pooled("qvd_admin"), { max: 24 });
  const node = openDatabase(database.pooled("qvd_node"), { max: 2 });
  const wishing = startWishing({ admin, node, owner: owner.orm }, io.signal);
  try {
    const say = (name: string, round: Round) => {
      io.say(`${name}: ${round.operationsPerSecond.toFixed(0)}/s, p50 ${round.p50Ms.toFixed(0)} ms`);
      return round;
    };
    const wantsStatements = process.env.QVD_SCALE_STATEMENTS !== undefined;
    if (wantsStatements) await resetStatements(owner.orm);
    const before = { ...database.measure(), nodes: use(scene.pids), wishers: use([process.pid]) };
    const mixed = { kind: "mixed" } as const;
    const first = say("first starts, with placement", await wishing.round(site.vmIds, "running", mixed));
    const stops = say("stops", await wishing.round(site.vmIds, "stopped", mixed));
    const starts = say("starts", await wishing.round(site.vmIds, "running", mixed));
    const again = say("stops again", await wishing.round(site.vmIds, "stopped", mixed));
    const after = { ...database.measure(), nodes: use(scene.pids), wishers: use([process.pid]) };
    if (wantsStatements)
      for (const line of await listStatements(owner.orm, 4 * site.vmIds.length)) io.say(line);
    const some = site.vmIds.slice(0, Math.min(site.vmIds.length, 20 * PACED_PER_SECOND));
    const paced = say(
      `starts at ${PACED_PER_SECOND}/s`,
      await wishing.round(some, "running", { kind: "single", perSecond: PACED_PER_SECOND }),
    );
    const single = say(
      "stops, all ordered one by one",
      await wishing.round(some, "stopped", { kind: "single" }),
    );
    const busySeconds = first.seconds + stops.seconds + starts.seconds + again.seconds;
    const perOperation = (of: "postgres" | "pgbouncer" | "nodes" | "wishers") =>
      (1000 * (after[of].cpuSeconds - before[of].cpuSeconds)) / (4 * site.vmIds.length);
    return [
      least("starts and stops of placed desktops", {
        perSecond: (3 * site.vmIds.length) / (busySeconds - first.seconds),
        goal: GOAL_PER_SECOND,
      }),
      least("stops, all ordered one by one", {
        perSecond: single.operationsPerSecond,
      }),
      least("first starts, with their placement", { perSecond: first.operationsPerSecond }),
      figure(`wish → running at ${PACED_PER_SECOND} starts/s, p50`, "ms", { ours: paced.p50Ms }),
      figure(`wish → running at ${PACED_PER_SECOND} starts/s, p99`, "ms", { ours: paced.p99Ms }),
      figure(`wish → running, all ${site.vmIds.length} at once, p50`, "ms", { ours: starts.p50Ms }),
      figure(`wish → running, all ${site.vmIds.length} at once, p99`, "ms", { ours: starts.p99Ms }),
      figure("CPU of PostgreSQL for an operation", "ms", { ours: perOperation("postgres") }),
      figure("CPU of PgBouncer for an operation", "ms", { ours: perOperation("pgbouncer") }),
      figure("CPU of all simulated nodes for an operation", "ms", { ours: perOperation("nodes") }),
      figure("CPU of those who order, for an operation", "ms", { ours: perOperation("wishers") }),
      ...idle,
      figure("memory of PostgreSQL", "MB", { ours: after.postgres.memoryMb }),
      figure("memory of PgBouncer", "MB", { ours: after.pgbouncer.memoryMb }),
      figure("memory of a simulated node", "MB", { ours: use(scene.pids).memoryMb / site.nodeIds.length }),
    ];
  } finally {
    wishing.stop();
    await Promise.all([admin.close(), node.close()]);
  }
}

async function measureIdle(io: BenchIo, { database, owner, pids, site, idleMs }: Scene): Promise<Figure[]> {
  const settled = async () => {
    const [row] = await owner.orm.execute<{ up: number }>(
      sql`select count(*)::int as up from leases where valid_until > now()`,
    );
    return row?.up === site.nodeIds.length;
  };
  await waitFor(settled, { timeoutMs: 60_000, everyMs: 500 });
  const commits = async () => {
    const [row] = await owner.orm.execute<{ count: number }>(
      sql`select xact_commit::float8 as count from pg_stat_database where datname = current_database()`,
    );
    return row?.count ?? Number.NaN;
  };
  io.say(`all ${site.nodeIds.length} nodes hold their leases; ${idleMs / 1000} s of quiet`);
  const before = { ...database.measure(), nodes: use(pids), commits: await commits() };
  const startedMs = performance.now();
  await sleep(idleMs, io.signal);
  const seconds = (performance.now() - startedMs) / 1000;
  const after = { ...database.measure(), nodes: use(pids), commits: await commits() };
  const percent = (of: "postgres" | "pgbouncer" | "nodes") =>
    (100 * (after[of].cpuSeconds - before[of].cpuSeconds)) / seconds;
  return [
    figure("idle: transactions", "/s", { ours: (after.commits - before.commits) / seconds }),
    figure("idle: CPU of PostgreSQL", "% of a core", { ours: percent("postgres") }),
    figure("idle: CPU of PgBouncer", "% of a core", { ours: percent("pgbouncer") }),
    figure("idle: CPU of all simulated nodes", "% of a core", { ours: percent("nodes") }),
  ];
}

/** A figure of which more is better. */
function least(name: string, of: { readonly perSecond: number; readonly goal?: number }): Figure {
  const { perSecond, goal } = of;
  const row = figure(name, "/s", { ours: perSecond, beside: STATED, theirs: 250 });
  if (goal === undefined) return row;
  return { ...row, goal: `≥ ${goal} /s`, met: perSecond >= goal };
}
