/**
 * Who goes first when the processors are short: a desktop that starts gets an eighth of what one gets that
 * somebody may be sitting at, so that a crowd of starts is hardly felt by those at work. What nobody else wants
 * it gets all the same. A share alone would leave who works waiting for the end of a slice of 3 ms; where the
 * kernel can (5.15), one that starts is idle to it, and gives way at once. For a while only: on a box whose
 * processors are never idle it would not come up at all.
 */

import { writeFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import type { VmId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import type { CgroupTree } from "./cgroup-tree.ts";

/** By the file of either layout of control groups. */
type CpuShare = { readonly "cpu.shares": number; readonly "cpu.weight": number };

export const STARTING_SHARE: CpuShare = { "cpu.shares": 128, "cpu.weight": 12 };
/** The kernel's own. */
const RUNNING_SHARE: CpuShare = { "cpu.shares": 1024, "cpu.weight": 100 };

/**
 * Of all desktops together: what one that starts uses is charged to them all, and a session that wakes must not wait
 * for its turn among the box's own processes because of that.
 */
const DESKTOPS_SHARE: CpuShare = { "cpu.shares": 10_240, "cpu.weight": 1_000 };

/** May be called again; before the first desktop starts. */
export async function weighDesktops(tree: CgroupTree): Promise<void> {
  const { instance } = tree;
  for (const root of tree.roots) {
    const file = fileIn(tree, root);
    if (file === undefined) continue;
    await mkdir(`${root}/${instance}`, { recursive: true });
    await put(`${root}/${instance}/${file}`, `${DESKTOPS_SHARE[file]}`, `the desktops of ${instance}`);
  }
}

/** Lets a desktop that was just started run when nobody else wants to. */
export async function standBack(tree: CgroupTree, vmId: VmId): Promise<void> {
  for (const root of tree.roots)
    if (fileIn(tree, root) !== undefined)
      await put(`${root}/${tree.instance}/c/${vmId}/cpu.idle`, "1", `desktop ${vmId}`);
}

/** It has its eighth from now on. Nothing to do for a desktop that was settled or has ended. */
export async function endStandingBack(tree: CgroupTree, vmId: VmId): Promise<void> {
  for (const root of tree.roots) {
    const isIdle = await readFile(`${root}/${tree.instance}/c/${vmId}/cpu.idle`, "utf8").catch(() => "0");
    if (isIdle.trim() === "1") return await setShares(tree, vmId, STARTING_SHARE);
  }
}

/** May be called again, and for a desktop that has ended. */
export async function raiseCpuShare(tree: CgroupTree, vmId: VmId): Promise<void> {
  await setShares(tree, vmId, RUNNING_SHARE);
}

async function setShares(tree: CgroupTree, vmId: VmId, share: CpuShare): Promise<void> {
  for (const root of tree.roots) {
    const file = fileIn(tree, root);
    if (file === undefined) continue;
    const folder = `${root}/${tree.instance}/c/${vmId}`;
    // First: an idle group takes no share.
    await put(`${folder}/cpu.idle`, "0", `desktop ${vmId}`);
    await put(`${folder}/${file}`, `${share[file]}`, `desktop ${vmId}`);
  }
}

async function put(path: string, value: string, whose: string): Promise<void> {
  try {
    // Without O_CREAT: what isn't there is not to be made.
    writeFileSync(path, `${value}\n`, { flag: "r+" });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    // The other layout has the processors, the kernel knows no idle groups, or the desktop has just ended.
    if (code === "ENOENT" || code === "ENODEV") return;
    const file = path.slice(path.lastIndexOf("/") + 1);
    const text = `Settling ${whose}: the kernel refused a share of the processors (${file})`;
    throw new AppError("driver-failed", text, { cause });
  }
}

/** What bounds the processors in this hierarchy; nothing in one of the old layout's others. */
function fileIn(tree: CgroupTree, root: string): keyof CpuShare | undefined {
  if (root === tree.unified || root.startsWith(`${tree.unified}/`)) return "cpu.weight";
  const controllers = root.split("/").flatMap((folder) => folder.split(","));
  return controllers.includes("cpu") ? "cpu.shares" : undefined;
}
