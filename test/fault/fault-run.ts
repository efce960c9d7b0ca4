/**
 * A fault run: several nodes, desktops that write down that they live, faults drawn from a seed, then calm; at
 * the end every desktop must be served again, and what they wrote is judged.
 */

import type { VmId } from "../../src/domain/ids.ts";
import { describeError } from "../../src/lib/errors.ts";
import { sleep, waitFor } from "../../src/lib/wait.ts";
import { parseBeats } from "../support/beating-desktop.ts";
import { ManyNodes } from "../support/many-nodes.ts";
import { checkBeats, type DesktopRecord, listLives, type Violation } from "./check-beats.ts";
import { inflict, undo } from "./inflict.ts";
import { type Fault, planFaults } from "./plan-faults.ts";
import { Witnesses } from "./witnesses.ts";

export type FaultRunOptions = {
  readonly executable: string;
  readonly minutes: number;
  readonly seed: number;
  readonly desktops: number;
  /** Desktops beside them that are virtual machines, emulated. */
  readonly machines?: number;
  readonly nodes: number;
  readonly leaseSeconds: number;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
};

export type FaultReport = {
  readonly seed: number;
  readonly minutes: number;
  readonly leaseSeconds: number;
  readonly nodes: number;
  readonly desktops: number;
  readonly machines: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly lives: number;
  readonly beats: number;
  /** Of the lives, those of machines. */
  readonly machineLives: number;
  readonly takeovers: number;
  /** From the end of the last fault until every desktop was served again; null when one never was. */
  readonly calmSeconds: number | null;
  /** Until every machine was, too: one that was lost has to boot. */
  readonly machineCalmSeconds: number | null;
  /** Of each that is not served: what the site knows of it, and what its boxes did last. */
  readonly dossiers: readonly string[];
  readonly unserved: readonly string[];
  readonly violations: readonly Violation[];
};

export const LAB = { lab: "flt", network: "10.98.8" } as const;
const RUNNING_MS = 180_000;
/** Without faults every desktop is served within this. */
const CALM_MS = 90_000;
/** A boot without hardware's help, on a machine that does much else. */
const MACHINE_CALM_MS = 360_000;

export async function runFaults(options: FaultRunOptions): Promise<FaultReport> {
  const { say, nodes, seed, minutes, leaseSeconds } = options;
  const lab = await openLab(options);
  try {
    const witnesses = new Witnesses(lab);
    witnesses.start();
    const faults = planFaults({ seed, nodes, durationMs: minutes * 60_000, leaseMs: leaseSeconds * 1000 });
    say(`seed ${seed}: ${faults.length} faults in ${minutes} minutes`);
    await playFaults(lab, faults, options);
    say("calm: every desktop must be served again");
    const calmAtMs = performance.now();
    const secondsUntil = async (isServed: () => Promise<boolean>, timeoutMs: number) => {
      if (!(await waitFor(isServed, { timeoutMs, everyMs: 500 }))) return null;
      return Math.round((performance.now() - calmAtMs) / 100) / 10;
    };
    const areServed = async (vmIds: readonly VmId[]) => (await listUnserved(lab, vmIds)).length === 0;
    const calmSeconds = await secondsUntil(() => areServed(lab.desktops), CALM_MS);
    const machineCalmSeconds = await secondsUntil(() => areServed(lab.machines), MACHINE_CALM_MS);
    const isServed = calmSeconds !== null && machineCalmSeconds !== null;
    const dossiers = isServed ? [] : await writeDossiers(lab);
    const unserved = isServed ? [] : (await listUnserved(lab)).map((vmId) => `desktop ${vmId}`);
    witnesses.look();
    witnesses.stop();
    const ofMachines = isServed ? await readMachineRecords(lab) : [];
    const records = [...readRecords(lab, witnesses), ...ofMachines];
    const countLives = (of: readonly DesktopRecord[]) =>
      of.reduce((sum, one) => sum + listLives(one).length, 0);
    return {
      ...{ seed, minutes, leaseSeconds, nodes, desktops: lab.desktops.length, machines: lab.machines.length },
      faults: countKinds(faults),
      lives: countLives(records),
      machineLives: countLives(ofMachines),
      beats: records.reduce((sum, record) => sum + record.beats.length, 0),
      takeovers: await lab.countTakeovers(),
      ...{ calmSeconds, machineCalmSeconds, unserved, dossiers },
      violations: records.flatMap(checkBeats),
    };
  } finally {
    await lab.dispose();
  }
}

export async function openLab(
  options: Pick<FaultRunOptions, "executable" | "nodes" | "desktops" | "machines" | "leaseSeconds" | "say">,
): Promise<ManyNodes> {
  const { executable, nodes, desktops, machines = 0, leaseSeconds, say } = options;
  const lab = await ManyNodes.create({
    ...{ ...LAB, executable, nodes },
    env: { QVD_LEASE: `${leaseSeconds}` },
  });
  try {
    say(`${nodes} nodes are up; ${desktops} desktops start`);
    await lab.addDesktops(desktops);
    const isUp = await waitFor(() => isEverybodyServed(lab), { timeoutMs: RUNNING_MS, everyMs: 200 });
    if (isUp !== true) throw new Error(`not every desktop came up: ${(await listUnserved(lab)).join(", ")}`);
    if (machines > 0) await addMachines(lab, machines, say);
    return lab;
  } catch (error) {
    await lab.dispose();
    throw error;
  }
}

async function addMachines(lab: ManyNodes, count: number, say: FaultRunOptions["say"]): Promise<void> {
  say(`${count} ${count === 1 ? "machine boots" : "machines boot"}`);
  await lab.addMachines(count);
  const isUp = () => isEverybodyServed(lab);
  if (await waitFor(isUp, { timeoutMs: MACHINE_CALM_MS, everyMs: 500 })) return;
  throw new Error(`not every machine came up: ${(await writeDossiers(lab)).join("\n")}`);
}

async function playFaults(lab: ManyNodes, faults: readonly Fault[], options: FaultRunOptions): Promise<void> {
  const beginMs = performance.now();
  const { signal, say } = options;
  // All are waited for, also when one can't be done: they would go on with a lab that is gone.
  const ends = await Promise.allSettled(
    faults.map(async (fault) => {
      await sleep(Math.max(0, beginMs + fault.atMs - performance.now()), signal);
      if (signal.aborted) return;
      const where = fault.node === undefined ? "" : ` of ${lab.nodes[fault.node]?.name}`;
      const at = `${(fault.atMs / 1000).toFixed(0).padStart(5)} s`;
      say(`${at}  ${fault.kind}${where} for ${((fault.untilMs - fault.atMs) / 1000).toFixed(1)} s`);
      await insist(say, () => inflict(lab, fault));
      await sleep(Math.max(0, beginMs + fault.untilMs - performance.now()), signal);
      await insist(say, () => undo(lab, fault));
    }),
  );
  signal.throwIfAborted();
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

/** A busy machine may refuse once what it does the second time. */
async function insist(say: (text: string) => void, work: () => Promise<void>): Promise<void> {
  await work().catch(async (error) => {
    say(`again after: ${describeError(error)}`);
    await sleep(2_000);
    await work();
  });
}

/** Each runs once, its agent answers, and its disk acknowledges something new. */
export async function isEverybodyServed(lab: ManyNodes): Promise<boolean> {
  return (await listUnserved(lab)).length === 0;
}

async function listUnserved(
  lab: ManyNodes,
  vmIds: readonly VmId[] = [...lab.desktops, ...lab.machines],
): Promise<readonly VmId[]> {
  const running = await lab.listRunning().catch((): readonly VmId[] => []);
  const before = vmIds.map((vmId) => lab.listAcknowledged(vmId)[0]);
  await sleep(1_000);
  const isServed = (vmId: VmId, index: number) => {
    const after = lab.listAcknowledged(vmId)[0];
    const one = before[index];
    const goesOn = after !== undefined && (after.life !== one?.life || after.number > one.number);
    return goesOn && running.includes(vmId) && lab.findDesktop(vmId).length === 1;
  };
  return vmIds.filter((vmId, index) => !isServed(vmId, index));
}

async function writeDossiers(lab: ManyNodes): Promise<readonly string[]> {
  return await Promise.all((await listUnserved(lab)).map((vmId) => lab.describeDesktop(vmId)));
}

/** The lives that each desktop has acknowledged, in the order of the lab's desktops. */
export function readLives(lab: ManyNodes): readonly string[] {
  return lab.desktops.map((vmId) =>
    lab
      .listAcknowledged(vmId)
      .map(({ life }) => life)
      .join(),
  );
}

export function readRecords(lab: ManyNodes, witnesses: Witnesses): readonly DesktopRecord[] {
  return lab.desktops.flatMap((vmId) => {
    // A home is read through its desktop; one that isn't served is told of as such.
    const [text] = lab.listBeats(vmId);
    if (text === undefined) return [];
    return [{ desktop: `desktop ${vmId}`, witnesses: witnesses.of(vmId), beats: parseBeats(text) }];
  });
}

/** Stops them. */
export async function readMachineRecords(lab: ManyNodes): Promise<readonly DesktopRecord[]> {
  const records: DesktopRecord[] = [];
  for (const vmId of lab.machines) {
    const { witnesses, text } = await lab.readMachine(vmId);
    records.push({ desktop: `machine ${vmId}`, witnesses, beats: parseBeats(text) });
  }
  return records;
}

function countKinds(faults: readonly Fault[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of faults) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
