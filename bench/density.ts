/**
 * What a signed-in desktop that nobody touches costs a box, in memory and CPU, beside the same desktop under
 * X2Go, where all people share one Debian. Memory is the proportional size of its processes plus what the kernel
 * holds for them and can't give back; clients and their screens count for neither side.
 */

import { readFileSync } from "node:fs";
import { asId, type VmId } from "../src/domain/ids.ts";
import { listProcesses as listGroup, openCgroupTree } from "../src/hypervisor/lxc/cgroup-tree.ts";
import { sleep } from "../src/lib/wait.ts";
import { type Bench, type BenchIo, type Figure, figure } from "./bench.ts";
import { type BenchBox, openBenchBox } from "./box.ts";
import { STAGE_NEEDS } from "./desktop-stage.ts";
import { SCREEN_SIZE, type Visit, visitDesktop } from "./nx-round.ts";
import { readCpuSeconds, readProportionalMb } from "./processes.ts";
import { bringTo } from "./rounds.ts";
import { openScreen, type Screen } from "./screen.ts";
import { openX2go, type X2go } from "./x2go.ts";

const COUNTS = [1, 10, 50];
const MOST = 50;
const SETTLE_MS = 30_000;
const MEASURE_MS = 60_000;
const MOST_RATIO = 1.15;
const MOST_PERCENT = 0.2;

export const densityBench: Bench = {
  name: "density",
  summary: `memory and idle CPU of ${COUNTS.join(", ")} signed-in desktops, beside X2Go on one Debian`,
  needs: STAGE_NEEDS,
  run,
};

/** Totals of a side with some desktops. */
type Cost = { readonly memoryMb: number; readonly cpuPercent: number };
type Costs = Cost & { readonly boxMb: number; readonly boxPercent: number };

async function run(io: BenchIo): Promise<Figure[]> {
  const screen = await openScreen(SCREEN_SIZE);
  try {
    const ours = await measureOurs(io, screen);
    const theirs = await measureX2go(io, screen);
    return COUNTS.flatMap((count) => compare(count, ours.get(count), theirs.get(count)));
  } finally {
    await screen.close();
  }
}

function compare(count: number, ours: Costs | undefined, theirs: Cost | undefined): Figure[] {
  if (ours === undefined || theirs === undefined) return [];
  const of = (pick: (cost: Cost) => number) => ({
    ours: pick(ours) / count,
    beside: "X2Go, one Debian for all",
    theirs: pick(theirs) / count,
  });
  return [
    figure(`${count} signed in: memory a desktop`, "MB", {
      ...of((cost) => cost.memoryMb),
      goal: { on: "ratio", atMost: MOST_RATIO },
    }),
    figure(`${count} signed in: idle CPU a desktop`, "% of a core", {
      ...of((cost) => cost.cpuPercent),
      goal: { on: "ours", atMost: MOST_PERCENT },
    }),
    figure(`${count} signed in: besides, the whole box's own processes`, "MB", { ours: ours.boxMb }),
    figure(`${count} signed in: besides, their CPU`, "% of a core", { ours: ours.boxPercent }),
  ];
}

async function measureOurs(io: BenchIo, screen: Screen): Promise<ReadonlyMap<number, Costs>> {
  const box = await openBenchBox(io, { instance: "benchden", people: MOST });
  const visits: Visit[] = [];
  const costs = new Map<number, Costs>();
  try {
    // The first start unpacks the image and fills the page cache.
    await visitOnce(box, screen);
    const kernelMb = readKernelMb();
    for (const count of COUNTS) {
      for (const person of box.people.slice(visits.length, count))
        visits.push(await visitDesktop(screen, box.whoIs(person), box.colour));
      io.say(`ours: ${count} signed in; waiting for quiet`);
      const vmIds = box.people.slice(0, count).map((person) => person.vmId);
      const own = box.listProcesses().map(({ pid }) => pid);
      const [desktops, parts] = await measure(io, [
        () => listDesktopPids(box.instance, vmIds),
        async () => own,
      ]);
      if (desktops === undefined || parts === undefined) break;
      const { memoryMb, cpuPercent } = desktops;
      costs.set(count, {
        memoryMb: memoryMb + readKernelMb() - kernelMb,
        cpuPercent,
        boxMb: parts.memoryMb,
        boxPercent: parts.cpuPercent,
      });
      io.say(`ours: ${describe(costs.get(count), count)}`);
    }
  } finally {
    for (const visit of visits) await visit.leave();
    await box.close();
  }
  return costs;
}

async function measureX2go(io: BenchIo, screen: Screen): Promise<ReadonlyMap<number, Cost>> {
  io.say("building one Debian with X2Go and the same desktop");
  const archive = Bun.spawnSync(["script/build-image"]).stdout.toString().trim();
  const x2go: X2go = await openX2go({ folder: "/var/tmp/qvd-benchx2go", archive, people: MOST });
  const costs = new Map<number, Cost>();
  let signedIn = 0;
  try {
    const kernelMb = readKernelMb();
    for (const count of COUNTS) {
      while (signedIn < count) await x2go.signIn(++signedIn, screen);
      io.say(`X2Go: ${count} signed in; waiting for quiet`);
      const [cost] = await measure(io, [async () => x2go.listPids()]);
      if (cost === undefined) break;
      costs.set(count, { ...cost, memoryMb: cost.memoryMb + readKernelMb() - kernelMb });
      io.say(`X2Go: ${describe(costs.get(count), count)}`);
    }
  } finally {
    await x2go.close();
  }
  return costs;
}

/** Starts and stops one desktop, so that what is done once isn't counted. */
async function visitOnce(box: BenchBox, screen: Screen): Promise<void> {
  const [person] = box.people;
  if (person === undefined) throw new Error("the box has nobody");
  const visit = await visitDesktop(screen, box.whoIs(person), box.colour);
  await visit.leave();
  await bringTo(box, [person.vmId], "stopped");
}

/** Several groups of processes over the same minute. */
async function measure(
  io: BenchIo,
  groups: readonly (() => Promise<readonly number[]>)[],
): Promise<readonly Cost[]> {
  await sleep(SETTLE_MS, io.signal);
  const pids = await Promise.all(groups.map((list) => list()));
  const before = pids.map(sumSeconds);
  const startedMs = performance.now();
  await sleep(MEASURE_MS, io.signal);
  const seconds = (performance.now() - startedMs) / 1000;
  return pids.map((group, index) => ({
    memoryMb: group.reduce((sum, pid) => sum + (whileThere(() => readProportionalMb(pid)) ?? 0), 0),
    cpuPercent: (100 * (sumSeconds(group) - (before[index] ?? 0))) / seconds,
  }));
}

function sumSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (whileThere(() => readCpuSeconds(pid)) ?? 0), 0);
}

/** Undefined of a process that has ended. */
function whileThere(read: () => number): number | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

async function listDesktopPids(instance: string, vmIds: readonly VmId[]): Promise<readonly number[]> {
  const tree = await openCgroupTree(instance);
  const groups = vmIds.flatMap((vmId) =>
    (["container", "monitor"] as const).map((part) => listGroup(tree, part, asId<VmId>(vmId))),
  );
  return (await Promise.all(groups)).flat();
}

/** What the kernel holds and can't give back: objects, stacks, page tables, per-processor data. */
function readKernelMb(): number {
  const text = readFileSync("/proc/meminfo", "utf8");
  const kb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
  return (
    (["SUnreclaim", "KernelStack", "PageTables", "Percpu"].reduce((sum, name) => sum + kb(name), 0) * 1.024) /
    1000
  );
}

function describe(cost: Cost | undefined, count: number): string {
  if (cost === undefined) return "nothing";
  const [memory, cpu] = [cost.memoryMb / count, cost.cpuPercent / count];
  return `${count} signed in, ${memory.toFixed(1)} MB and ${cpu.toFixed(3)} % of a core each`;
}
