/**
 * The writable system of a desktop over its image's: an empty layer for an overlay, a snapshot, or a copy. In
 * its own folder, or in a file system of its own where it has a limit or must be able to move. Something that
 * was kept goes on as what it is, whichever driver the box has now.
 */

import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { chmod, chown, lstat, mkdir, rename, stat } from "node:fs/promises";
import type { DiId, VmId } from "../domain/ids.ts";
import type { IdRange } from "../domain/node/id-range.ts";
import { keptFolder, type Layout, type VmLayout } from "../domain/node/layout.ts";
import type { DiskPlan } from "../domain/node/plan-disks.ts";
import { AppError, assertNever } from "../lib/errors.ts";
import { runOk } from "../lib/run.ts";
import { isSubvolume, limitSubvolume, snapshotSubvolume } from "./btrfs.ts";
import { clearRunOfLayer, clearRunOfTree } from "./clear-run.ts";
import { ensureImage } from "./ensure-image.ts";
import { makeImage } from "./image-file.ts";
import { isThere } from "./is-there.ts";
import { UNLIMITED_IMAGE_MB } from "./mount-home.ts";
import { mountImage } from "./mount-image.ts";
import { removeTree } from "./remove-tree.ts";
import type { StorageContext } from "./storage.ts";

export type SystemRequest = {
  readonly vmId: VmId;
  readonly diId: DiId;
  readonly vm: VmLayout;
  readonly plan: DiskPlan;
  readonly base: string;
  readonly range: IdRange;
};

export type SystemPlace =
  | { readonly style: "overlay"; readonly upper: string; readonly work: string; readonly isKept: boolean }
  | { readonly style: "tree"; readonly tree: string };

const COPY_TIMEOUT_MS = 30 * 60_000;

/** What a desktop keeps of its system belongs to one image: over another it would be a mixture of two. */
export function keptSystem(layout: Layout, vmId: VmId, diId: DiId): string {
  return `${keptFolder(layout, vmId)}/system-${diId}`;
}

export async function prepareSystem(context: StorageContext, request: SystemRequest): Promise<SystemPlace> {
  const { vm, plan } = request;
  const folder = keptSystem(context.layout, request.vmId, request.diId);
  switch (plan.kind) {
    case "fresh-folder":
      // What a life before left has been thrown away.
      if (context.driver === "overlay") return layOutFresh(request);
      return await layOut(context, request, { overlay: vm.folder, tree: vm.fresh, isKept: false });
    case "fresh-image": {
      // Quotas of btrfs do without the file system in between.
      if (context.driver === "btrfs" && (await isSubvolume(request.base)))
        return await layOut(context, request, { overlay: vm.folder, tree: vm.fresh, isKept: false });
      const path = `${vm.fresh}/layer.img`;
      await makeImage(path, {
        sizeMb: plan.sizeMb + (await treeMb(context, request)),
        allocatedMb: context.allocatedMb,
      });
      return await layOutInImage(context, request, { path, sizeMb: 0, isKept: false });
    }
    case "folder":
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return await layOut(context, request, { overlay: folder, tree: folder, isKept: true });
    case "image": {
      const path = `${folder}.img`;
      await mkdir(keptFolder(context.layout, request.vmId), { recursive: true, mode: 0o700 });
      const sizeMb = (plan.sizeMb ?? UNLIMITED_IMAGE_MB) + (await treeMb(context, request));
      const parts = [{ folder, inside: "" }];
      await ensureImage(context, { path, parts, sizeMb, mountPoint: vm.layerDisk });
      const grown = plan.sizeMb === undefined ? 0 : sizeMb;
      return await layOutInImage(context, request, { path, sizeMb: grown, isKept: true });
    }
    default:
      return assertNever(plan);
  }
}

type ImagePlace = { readonly path: string; readonly sizeMb: number; readonly isKept: boolean };

async function layOutInImage(
  context: StorageContext,
  request: SystemRequest,
  { path, sizeMb, isKept }: ImagePlace,
): Promise<SystemPlace> {
  const { layerDisk } = request.vm;
  await mountImage(context, { path, mountPoint: layerDisk, sizeMb, allowsSetuid: true });
  return await layOut(context, request, { overlay: layerDisk, tree: layerDisk, isKept });
}

type Places = { readonly overlay: string; readonly tree: string; readonly isKept: boolean };

async function layOut(context: StorageContext, request: SystemRequest, places: Places): Promise<SystemPlace> {
  const upper = `${places.overlay}/upper`;
  const tree = `${places.tree}/tree`;
  const isOverlay = (await isThere(upper)) || (context.driver === "overlay" && !(await isThere(tree)));
  if (!isOverlay) {
    if (!(await isThere(tree))) await makeTree(context, request, tree);
    else if (places.isKept) await clearRunOfTree(tree, request.base);
    return { style: "tree", tree };
  }
  const work = `${places.overlay}/work`;
  await layOutOverlay(request, { upper, work });
  if (places.isKept) await clearRunOfLayer(upper);
  return { style: "overlay", upper, work, isKept: places.isKept };
}

/** At once: it is the box's own disk, and a person waits. */
function layOutFresh({ vm, range }: SystemRequest): SystemPlace {
  const { upper, work } = vm;
  for (const folder of [upper, work]) {
    mkdirSync(folder, { mode: 0o755 });
    // The upper layer's own mode is what the desktop sees at "/", whatever the umask is.
    chmodSync(folder, 0o755);
    chownSync(folder, range.first, range.first);
  }
  return { style: "overlay", upper, work, isKept: false };
}

async function layOutOverlay(
  { vmId, range }: SystemRequest,
  { upper, work }: { readonly upper: string; readonly work: string },
): Promise<void> {
  for (const folder of [upper, work]) {
    const found = await lstat(folder).catch(() => undefined);
    if (found !== undefined && found.uid !== range.first)
      throw new AppError(
        "conflict",
        `Mounting what desktop ${vmId} keeps: it was written with ids from ${found.uid} on, and here they begin at ${range.first}. Give every box the same QVD_ID_FIRST.`,
      );
    if (found !== undefined) continue;
    await mkdir(folder, { mode: 0o755 });
    // The upper layer's own mode is what the desktop sees at "/", whatever the umask is.
    await chmod(folder, 0o755);
    await chown(folder, range.first, range.first);
  }
}

/** Under its name only when it is whole. */
async function makeTree(context: StorageContext, request: SystemRequest, tree: string): Promise<void> {
  const { base, plan, vmId } = request;
  if ((await stat(base).catch(() => undefined)) === undefined) throw missingBase(vmId, base);
  const temporary = `${tree}.new`;
  await removeTree(temporary);
  const doing = `Copying the system of desktop ${vmId}`;
  const canSnapshot = context.driver === "btrfs" && (await isSubvolume(base)) && plan.kind !== "image";
  if (canSnapshot) {
    await snapshotSubvolume(base, temporary);
    if (plan.kind === "fresh-image") await limitSubvolume(temporary, plan.sizeMb);
  } else
    await runOk(doing, ["/usr/bin/cp", "-a", "--reflink=auto", "-T", "--", base, temporary], {
      timeoutMs: COPY_TIMEOUT_MS,
    });
  await rename(temporary, tree);
}

/** A copy needs the image's room besides the limit of what is written to it. */
async function treeMb({ driver }: StorageContext, { base, vmId }: SystemRequest): Promise<number> {
  if (driver === "overlay") return 0;
  if ((await stat(base).catch(() => undefined)) === undefined) throw missingBase(vmId, base);
  const text = await runOk(`measuring ${base}`, ["/usr/bin/du", "-sm", "--", base]);
  return Math.ceil(Number.parseInt(text, 10) * 1.03);
}

export function missingBase(vmId: VmId, base: string): AppError {
  return new AppError("not-found", `Mounting desktop ${vmId}: its image is not unpacked at ${base}`);
}
