/**
 * Shows that the checker finds what it is there for: one node is kept from fencing (its keeper and its node
 * process are stopped), and the last line, the lock on the homes, is taken away by hand. Its desktops then run
 * twice, and the checker must say so.
 */

import { readdirSync } from "node:fs";
import { copyFile, rename } from "node:fs/promises";
import type { VmId } from "../../src/domain/ids.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { parseBeats } from "../support/beating-desktop.ts";
import type { LabNode } from "../support/lab-node.ts";
import type { ManyNodes } from "../support/many-nodes.ts";
import { checkBeats, type Violation } from "./check-beats.ts";
import { type FaultRunOptions, openLab, readMachineRecords } from "./fault-run.ts";
import { Witnesses } from "./witnesses.ts";

const CONTAINER_TWICE_MS = 60_000;
/** A machine has to boot until it runs twice, and to say so. */
const MACHINE_TWICE_MS = 180_000;

/** Of a container, or of a machine where the options want any. */
export async function proveChecker(options: FaultRunOptions): Promise<readonly Violation[]> {
  const lab = await openLab({ ...options, desktops: 4 });
  try {
    return await ((options.machines ?? 0) > 0
      ? proveWithMachine(lab, options)
      : proveWithContainer(lab, options));
  } finally {
    await lab.dispose();
  }
}

async function proveWithContainer(lab: ManyNodes, options: FaultRunOptions): Promise<readonly Violation[]> {
  const witnesses = new Witnesses(lab);
  witnesses.start();
  try {
    const { vmId, node } = await runTwice(lab, lab.desktops[0], options);
    // As after a run: what the taker's home holds, and what was seen from outside.
    const taker = lab.findDesktop(vmId).findIndex((place) => place.node !== node);
    const look = () =>
      checkBeats({
        desktop: `desktop ${vmId}`,
        witnesses: witnesses.of(vmId),
        beats: parseBeats(lab.listBeats(vmId)[taker] ?? ""),
      });
    // The second one has to write something first, and the first one beside it.
    await waitFor(() => look().some(({ kind }) => kind === "overlap"), {
      timeoutMs: CONTAINER_TWICE_MS,
      everyMs: 500,
    });
    return look();
  } finally {
    witnesses.stop();
  }
}

async function proveWithMachine(lab: ManyNodes, options: FaultRunOptions): Promise<readonly Violation[]> {
  const { vmId, node } = await runTwice(lab, lab.machines[0], options);
  const before = lab.listAcknowledged(vmId)[0]?.life;
  const isOther = () => lab.listAcknowledged(vmId)[0]?.life !== before;
  if (!(await waitFor(isOther, { timeoutMs: MACHINE_TWICE_MS, everyMs: 200 })))
    throw new Error("the second machine told nothing");
  await node.powerOff();
  return (await readMachineRecords(lab)).flatMap(checkBeats);
}

async function runTwice(
  lab: ManyNodes,
  vmId: VmId | undefined,
  { say, leaseSeconds }: FaultRunOptions,
): Promise<{ readonly vmId: VmId; readonly node: LabNode }> {
  const place = vmId === undefined ? undefined : lab.findDesktop(vmId)[0];
  if (vmId === undefined || place === undefined) throw new Error("there is no desktop to run twice");
  const { node } = place;
  say(`${node.name} can't fence any more; the lock on its homes goes`);
  node.signal("keeper", "SIGSTOP");
  node.signal("node", "SIGSTOP");
  const folder = node.layout.homesFolder;
  for (const name of readdirSync(folder).filter((one) => /\.(img|disk)$/.test(one))) {
    // Another file under the same name carries no lock.
    await copyFile(`${folder}/${name}`, `${folder}/${name}.copy`);
    await rename(`${folder}/${name}.copy`, `${folder}/${name}`);
  }
  const timeoutMs = leaseSeconds * 15_000;
  const isTwice = () => lab.findDesktop(vmId).length === 2;
  if (!(await waitFor(isTwice, { timeoutMs, everyMs: 100 }))) throw new Error("nothing ran twice");
  return { vmId, node };
}
