/**
 * What a signed-in desktop that nobody touches adds to a box, in memory and CPU, beside the same desktop under
 * X2Go, where all people share one Debian. Memory is the proportional size of its processes plus what the kernel
 * holds for their control groups; clients and their screens count for neither side, nor what serves all desktops:
 * our processes of the box are told apart, X2Go has none without its ssh.
 *
 *     script/bench density          1, 10 and 50 desktops; 20 minutes
 *     script/bench density 1 10     only so many
 */

import { readFileSync } from "node:fs";
import { asId, type VmId } from "../src/domain/ids.ts";
import {
  type CgroupTree,
  groupFolder,
  listProcesses as listGroup,
  openCgroupTree,
} from "../src/hypervisor/lxc/cgroup-tree.ts";
import { sleep } from "../src/lib/wait.ts";
import { type Bench, type BenchIo, type Figure, figure, readCounts } from "./bench.ts";
import { type BenchBox, openBenchBox } from "./box.ts";
import { STAGE_NEEDS } from "./desktop-stage.ts";
import { freeUnusedObjects, isAccounted, readChargeMb } from "./kernel-memory.ts";
import { SCREEN_SIZE, type Visit, visitDesktop } from "./nx-round.ts";
import { readCpuSeconds, readProportionalMb } from "./processes.ts";
import { bringTo } from "./rounds.ts";
import { openScreen, type Screen } from "./screen.ts";
import { openX2go, type X2go } from "./x2go.ts";

const COUNTS = [1, 10, 50];
const SETTLE_MS = 30_000;
const MEASURE_MS = 60_000;
const MOST_RATIO = 1.15;
const MOST_PERCENT = 0.2;
const PEER = "X2Go, one Debian for all";

export const densityBench: Bench = {
  name: "density",
  summary: `memory and idle CPU of ${COUNTS.join(", ")} signed-in desktops, beside X2Go on one Debian`,
  needs: STAGE_NEEDS,
  run,
};

/** Totals of a side with some desktops. */
type Cost = {
  readonly processesMb: number;
  readonly kernelMb: number;
  readonly cpuPercent: number;
  /** Of all the machine, since before the first: also what is charged to no group, and what others do meanwhile. */
  readonly machineKernelMb: number;
};
type Costs = Cost & { readonly boxMb: number; readonly boxPercent: number };

/** What belongs to a side when all its desktops are there. */
type Side = {
  readonly listPids: () => Promise<readonly number[]>;
  readonly groups: readonly string[];
  readonly kernelBeforeMb: number;
};

async function run(io: BenchIo): Promise<Figure[]> {
  const counts = readCounts(io.words ?? [], COUNTS);
  const screen = await openScreen(SCREEN_SIZE);
  try {
    const ours = await measureOurs(io, screen, counts);
    const theirs = await measureX2go(io, screen, counts);
    return [
      ...counts.flatMap((count) => compare(count, ours.get(count), theirs.get(count))),
      ...compareFurther(counts, ours, theirs),
    ];
  } finally {
    await screen.close();
  }
}

const memoryMb = (cost: Cost) => cost.processesMb + cost.kernelMb;

function compare(count: number, ours: Costs | undefined, theirs: Cost | undefined): Figure[] {
  if (ours === undefined || theirs === undefined) return [];
  const each = (pick: (cost: Cost) => number) => ({
    ours: pick(ours) / count,
    beside: PEER,
    theirs: pick(theirs) / count,
  });
  const name = `${count} signed in`;
  return [
    figure(`${name}: memory a desktop`, "MB", {
      ...each(memoryMb),
      goal: { on: "ratio", atMost: MOST_RATIO },
    }),
    figure(
      `${name}: of it the kernel's`,
      "MB",
      each(({ kernelMb }) => kernelMb),
    ),
    figure(`${name}: idle CPU a desktop`, "% of a core", {
      ...each(({ cpuPercent }) => cpuPercent),
      goal: { on: "ours", atMost: MOST_PERCENT },
    }),
    figure(`${name}: besides, the whole box's own processes`, "MB", { ours: ours.boxMb }),
    figure(`${name}: besides, their CPU`, "% of a core", { ours: ours.boxPercent }),
  ];
}

/** What one more costs, without what the first ones share. */
function compareFurther(
  counts: readonly number[],
  ours: ReadonlyMap<number, Cost>,
  theirs: ReadonlyMap<number, Cost>,
): Figure[] {
  const [few, many] = counts.slice(-2);
  if (few === undefined || many === undefined) return [];
  const grown = (pick: (cost: Cost) => number) => (costs: ReadonlyMap<number, Cost>) => {
    const [less, more] = [costs.get(few), costs.get(many)];
    return less && more ? (pick(more) - pick(less)) / (many - few) : Number.NaN;
  };
  const one = (name: string, of: (costs: ReadonlyMap<number, Cost>) => number) =>
    figure(`from ${few} to ${many}: ${name}`, "MB", { ours: of(ours), beside: PEER, theirs: of(theirs) });
  return [
    one("memory of one more", grown(memoryMb)),
    one(
      "growth of the machine's kernel memory",
      grown((cost) => cost.machineKernelMb),
    ),
  ];
}

async function measureOurs(
  io: BenchIo,
  screen: Screen,
  counts: readonly number[],
): Promise<ReadonlyMap<number, Costs>> {
  const box = await openBenchBox(io, { instance: "benchden", people: Math.max(...counts) });
  const visits: Visit[] = [];
  const costs = new Map<number, Costs>();
  try {
    // The first start unpacks the image and fills the page cache.
    await visitOnce(box, screen);
    const tree = await openCgroupTree(box.instance);
    const kernelBeforeMb = await readMachineKernelMb();
    for (const count of counts) {
      for (const person of box.people.slice(visits.length, count))
        visits.push(await visitDesktop(screen, box.whoIs(person), box.colour));
      io.say(`ours: ${count} signed in; waiting for quiet`);
      const vmIds = box.people.slice(0, count).map((person) => person.vmId);
      const own = box.listProcesses().map(({ pid }) => pid);
      const [desktops, parts] = await measure(io, [
        {
          listPids: () => listDesktopPids(tree, vmIds),
          groups: vmIds.flatMap((vmId) => listDesktopGroups(tree, vmId)),
          kernelBeforeMb,
        },
        { listPids: async () => own, groups: [], kernelBeforeMb },
      ]);
      if (desktops === undefined || parts === undefined) break;
      costs.set(count, { ...desktops, boxMb: parts.processesMb, boxPercent: parts.cpuPercent });
      io.say(`ours: ${describe(desktops, count)}`);
    }
  } finally {
    for (const visit of visits) await visit.leave();
    await box.close();
  }
  return costs;
}

async function measureX2go(
  io: BenchIo,
  screen: Screen,
  counts: readonly number[],
): Promise<ReadonlyMap<number, Cost>> {
  io.say("building one Debian with X2Go and the same desktop");
  const archive = Bun.spawnSync(["script/build-image"]).stdout.toString().trim();
  const people = Math.max(...counts);
  const x2go: X2go = await openX2go({ folder: "/var/tmp/qvd-benchx2go", archive, people });
  const costs = new Map<number, Cost>();
  let signedIn = 0;
  try {
    const kernelBeforeMb = await readMachineKernelMb();
    const side: Side = { listPids: async () => x2go.listPids(), groups: [x2go.group], kernelBeforeMb };
    for (const count of counts) {
      while (signedIn < count) await x2go.signIn(++signedIn, screen);
      io.say(`X2Go: ${count} signed in; waiting for quiet`);
      const [cost] = await measure(io, [side]);
      if (cost === undefined) break;
      costs.set(count, cost);
      io.say(`X2Go: ${describe(cost, count)}`);
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

/** Several sides over the same minute. */
async function measure(io: BenchIo, sides: readonly Side[]): Promise<readonly Cost[]> {
  await sleep(SETTLE_MS, io.signal);
  io.signal.throwIfAborted();
  const pids = await Promise.all(sides.map(({ listPids }) => listPids()));
  const before = pids.map(sumSeconds);
  const startedMs = performance.now();
  await sleep(MEASURE_MS, io.signal);
  io.signal.throwIfAborted();
  const seconds = (performance.now() - startedMs) / 1000;
  const after = pids.map(sumSeconds);
  const sizes = pids.map((group) =>
    group.reduce((sum, pid) => sum + (whileThere(() => readProportionalMb(pid)) ?? 0), 0),
  );
  const machineKernelMb = await readMachineKernelMb();
  return sides.map(({ groups, kernelBeforeMb }, index) => ({
    processesMb: sizes[index] ?? 0,
    kernelMb: groups.reduce((sum, group) => sum + readChargeMb(group), 0),
    machineKernelMb: machineKernelMb - kernelBeforeMb,
    cpuPercent: (100 * ((after[index] ?? 0) - (before[index] ?? 0))) / seconds,
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

const PARTS = ["container", "monitor"] as const;

async function listDesktopPids(tree: CgroupTree, vmIds: readonly VmId[]): Promise<readonly number[]> {
  const groups = vmIds.flatMap((vmId) => PARTS.map((part) => listGroup(tree, part, asId<VmId>(vmId))));
  return (await Promise.all(groups)).flat();
}

/** In the hierarchy that accounts memory. */
function listDesktopGroups(tree: CgroupTree, vmId: VmId): readonly string[] {
  return PARTS.flatMap((part) => {
    const below = groupFolder(tree, part, vmId).slice(tree.unified.length);
    return tree.roots.map((root) => `${root}${below}`).filter(isAccounted);
  });
}

/** What the kernel holds once it has given back what nobody uses: objects, stacks, page tables, per-processor data. */
async function readMachineKernelMb(): Promise<number> {
  await freeUnusedObjects();
  const text = readFileSync("/proc/meminfo", "utf8");
  const kb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
  const names = ["Slab", "KernelStack", "PageTables", "Percpu"];
  return (names.reduce((sum, name) => sum + kb(name), 0) * 1.024) / 1000;
}

function describe(cost: Cost, count: number): string {
  const [memory, kernel, cpu] = [memoryMb(cost), cost.kernelMb, cost.cpuPercent].map((all) => all / count);
  return `${count} signed in, ${memory?.toFixed(1)} MB (${kernel?.toFixed(1)} of it the kernel's) and ${cpu?.toFixed(3)} % of a core each`;
}
