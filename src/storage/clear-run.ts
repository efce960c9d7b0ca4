/**
 * What lies in /run says what runs (sockets, the numbers of processes), so of a system that is kept it begins as the image has it, as after
 * any computer's start. Images with systemd mount a fresh one there by themselves.
 */

import { runOk } from "../lib/run.ts";
import { isThere } from "./is-there.ts";
import { removeTree } from "./remove-tree.ts";

/** Of a layer over the image: what is written there no longer hides the image's. */
export async function clearRunOfLayer(upper: string): Promise<void> {
  await removeTree(`${upper}/run`);
}

/** Of a copy of the image. */
export async function clearRunOfTree(tree: string, base: string): Promise<void> {
  const [ours, image] = [`${tree}/run`, `${base}/run`];
  await removeTree(ours);
  if (!(await isThere(image))) return;
  await runOk(`making ${ours} anew`, ["/usr/bin/cp", "-a", "-T", "--", image, ours]);
}
