/** Puts together what this box says of itself. */

import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import type { DiId, VmId } from "../domain/ids.ts";
import type { LeaseFacts } from "../domain/node/describe-lease.ts";
import {
  listProblems,
  type MachineRunning,
  type NodeFacts,
  type NotUnpacked,
  type RulesSign,
  type WorkerFacts,
} from "../domain/node/report.ts";
import type { VmState } from "../domain/vm/state.ts";
import type { StorageUse } from "../storage/read-use.ts";
import type { VmMemory } from "./memory.ts";

export type FactSources = {
  readonly version: string;
  readonly instance: string;
  readonly stateFolder: string;
  readonly lease: LeaseFacts;
  readonly workers: readonly WorkerFacts[];
  readonly desktops: ReadonlyMap<VmId, Pick<VmMemory, "desktop" | "report">>;
  readonly strangers: readonly VmId[];
  readonly notUnpacked: readonly NotUnpacked[];
  readonly strangeImages: readonly DiId[];
  readonly rules?: RulesSign | undefined;
  readonly startTimeoutsMs?: NodeFacts["startTimeoutsMs"];
  readonly freeBytes: () => Promise<number>;
  readonly acceleration?: (() => Promise<MachineRunning>) | undefined;
  readonly sharedFolder: string;
  readonly readUse: () => Promise<StorageUse>;
};

const MB = 2 ** 20;

export async function gatherFacts(sources: FactSources): Promise<NodeFacts> {
  const [memory, diskFree, use] = await Promise.all([readMemory(), sources.freeBytes(), sources.readUse()]);
  const desktops = [...sources.desktops.values()];
  const diskFreeMb = Math.round(diskFree / MB);
  const counts: Partial<Record<VmState, number>> = {};
  for (const { report } of desktops) counts[report.state] = (counts[report.state] ?? 0) + 1;
  // Asked only where it matters: the first answer takes a box up to ten seconds.
  const hasMachines = desktops.some(({ desktop }) => desktop.osf.hypervisor === "kvm");
  const machines = hasMachines ? await sources.acceleration?.() : undefined;
  return {
    version: sources.version,
    pid: process.pid,
    instance: sources.instance,
    cpus: cpus().length,
    bogomips: await readBogomips(),
    hypervisors: listHypervisors(),
    startTimeoutsMs: sources.startTimeoutsMs,
    ...(machines === undefined ? {} : { machines: machines.accelerator }),
    memoryMb: memory.totalMb,
    memoryFreeMb: memory.freeMb,
    diskFreeMb,
    lease: sources.lease,
    workers: sources.workers,
    desktops: counts,
    ...(sources.strangers.length === 0 ? {} : { strangers: sources.strangers }),
    problems: listProblems({
      workers: sources.workers,
      hasLease: sources.lease.isHeld,
      memoryFreeMb: memory.freeMb,
      diskFreeMb,
      stateFolder: sources.stateFolder,
      sharedFolder: sources.sharedFolder,
      sharedFreeMb: use.sharedFreeMb,
      halted: use.halted.map((vmId) => sources.desktops.get(vmId)?.desktop.name ?? `${vmId}`),
      homes: use.homes.map(({ vmId, ...home }) => ({
        ...home,
        name: sources.desktops.get(vmId)?.desktop.name ?? `${vmId}`,
      })),
      givenUp: desktops
        .filter(({ desktop, report }) => isGivenUp(report) && desktop.wish === "running")
        .map(({ desktop, report }) => ({ name: desktop.name, text: report.fault?.text ?? "" })),
      zombies: desktops
        .filter(({ report }) => report.state === "zombie_2")
        .map(({ desktop }) => desktop.name),
      strangers: sources.strangers,
      notUnpacked: sources.notUnpacked,
      strangeImages: sources.strangeImages,
      rules: sources.rules,
      machines,
    }),
  };
}

function isGivenUp(report: VmMemory["report"]): boolean {
  return report.state === "stopped" && report.fault?.code === "start-given-up";
}

/** Undefined where the kernel doesn't say, as on some architectures. */
async function readBogomips(): Promise<number | undefined> {
  const text = await readFile("/proc/cpuinfo", "utf8");
  const speeds = [...text.matchAll(/^bogomips\s*:\s*([0-9.]+)/gim)].map((match) => Number(match[1]));
  const sum = Math.round(speeds.reduce((one, other) => one + other, 0));
  return sum > 0 ? sum : undefined;
}

/** Containers are what every box is installed for; machines need a program that many lack. */
function listHypervisors(): readonly string[] {
  const canEmulate = ["qemu-system-x86_64", "qemu-system-aarch64", "kvm"].some(
    (name) => Bun.which(name) !== null,
  );
  return canEmulate ? ["lxc", "kvm"] : ["lxc"];
}

/** What the kernel calls available counts as free: caches make room when asked. */
async function readMemory(): Promise<{ totalMb: number; freeMb: number }> {
  const text = await readFile("/proc/meminfo", "utf8");
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
  return { totalMb: Math.round(read("MemTotal") / 1024), freeMb: Math.round(read("MemAvailable") / 1024) };
}
