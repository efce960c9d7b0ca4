/**
 * Shows that the checker finds what it is there for: one node is kept from fencing (its keeper and its node
 * process are stopped), and the last line, the lock on the homes, is taken away by hand. Its desktops then run
 * twice, and the checker must say so.
 */

import { readdirSync } from "node:fs";
import { copyFile, rename } from "node:fs/promises";
import { sleep, waitFor } from "../../src/lib/wait.ts";
import { parseBeats } from "../support/beating-desktop.ts";
import { checkBeats, type Violation } from "./check-beats.ts";
import { type FaultRunOptions, openLab } from "./fault-run.ts";
import { Witnesses } from "./witnesses.ts";

export async function proveChecker(options: FaultRunOptions): Promise<readonly Violation[]> {
  const { say, leaseSeconds } = options;
  const lab = await openLab({ ...options, desktops: 4 });
  try {
    const witnesses = new Witnesses(lab);
    witnesses.start();
    const [vmId] = lab.desktops;
    const place = vmId === undefined ? undefined : lab.findDesktop(vmId)[0];
    if (vmId === undefined || place === undefined) throw new Error("there is no desktop to run twice");
    say(`${place.node.name} can't fence any more; the lock on its homes goes`);
    place.node.signal("keeper", "SIGSTOP");
    place.node.signal("node", "SIGSTOP");
    const folder = place.node.layout.homesFolder;
    for (const name of readdirSync(folder).filter((one) => one.endsWith(".img"))) {
      // Another file under the same name carries no lock.
      await copyFile(`${folder}/${name}`, `${folder}/${name}.copy`);
      await rename(`${folder}/${name}.copy`, `${folder}/${name}`);
    }
    const timeoutMs = leaseSeconds * 6_000;
    const isTwice = () => lab.findDesktop(vmId).length === 2;
    if (!(await waitFor(isTwice, { timeoutMs, everyMs: 100 }))) throw new Error("nothing ran twice");
    await sleep(3_000);
    witnesses.stop();
    // As after a run: what the taker's home holds, and what was seen from outside.
    const taker = lab.findDesktop(vmId).findIndex(({ node }) => node !== place.node);
    return checkBeats({
      desktop: `desktop ${vmId}`,
      witnesses: witnesses.of(vmId),
      beats: parseBeats(lab.listBeats(vmId)[taker] ?? ""),
    });
  } finally {
    await lab.dispose();
  }
}
