/**
 * A desktop's home, and with it the folders of its system that are kept: found or made where the plan says,
 * as plain ids on the disk. Who binds them into the desktop's id range is `mount-desktop.ts`.
 */

import { chmod, mkdir } from "node:fs/promises";
import type { VmId } from "../domain/ids.ts";
import type { KeptBind } from "../domain/image/kept-folder.ts";
import { homeFolder, homeImage, keptFolder, type VmLayout } from "../domain/node/layout.ts";
import type { DiskPlan } from "../domain/node/plan-disks.ts";
import { assertNever } from "../lib/errors.ts";
import { ensureImage } from "./ensure-image.ts";
import { makeImage } from "./image-file.ts";
import { isThere } from "./is-there.ts";
import { mountImage } from "./mount-image.ts";
import { seedKept } from "./seed-kept.ts";
import type { StorageContext } from "./storage.ts";

export type HomeRequest = {
  readonly vmId: VmId;
  readonly vm: VmLayout;
  readonly plan: DiskPlan;
  /** Base tree that kept folders get their first content from. */
  readonly base: string;
  readonly binds: readonly KeptBind[];
};

export type HomeSources = {
  readonly home: string;
  /** By the name of the bind. */
  readonly kept: ReadonlyMap<string, string>;
};

/** Of an image that must be able to move and has no limit: written blocks alone take room. */
export const UNLIMITED_IMAGE_MB = 32 * 1_024;

export async function prepareHome(context: StorageContext, request: HomeRequest): Promise<HomeSources> {
  const { layout } = context;
  const { vm, vmId, plan } = request;
  await mkdir(layout.homesFolder, { recursive: true, mode: 0o700 });
  switch (plan.kind) {
    case "fresh-folder":
      return await layOut(request, { home: `${vm.fresh}/home`, store: `${vm.fresh}/kept` });
    case "fresh-image": {
      const path = `${vm.fresh}/home.img`;
      await makeImage(path, { sizeMb: plan.sizeMb, allocatedMb: context.allocatedMb });
      await mountImage(context, { path, mountPoint: vm.homeDisk, sizeMb: plan.sizeMb });
      return await layOut(request, insideDisk(vm));
    }
    case "folder":
      return await layOut(request, {
        home: homeFolder(layout, vmId),
        store: keptStore(context, vmId),
      });
    case "image": {
      const path = homeImage(layout, vmId);
      const parts = [
        { folder: homeFolder(layout, vmId), inside: "home" },
        { folder: keptStore(context, vmId), inside: "kept" },
      ];
      const sizes = { sizeMb: plan.sizeMb ?? UNLIMITED_IMAGE_MB, mostMb: plan.sizeMb };
      await ensureImage(context, { path, parts, ...sizes, mountPoint: vm.homeDisk });
      await mountImage(context, { path, mountPoint: vm.homeDisk, sizeMb: plan.sizeMb ?? 0 });
      return await layOut(request, insideDisk(vm));
    }
    default:
      return assertNever(plan);
  }
}

/** Where chosen folders lie while the home is a folder too. */
function keptStore({ layout }: StorageContext, vmId: VmId): string {
  return `${keptFolder(layout, vmId)}/folders`;
}

function insideDisk(vm: VmLayout): Places {
  return { home: `${vm.homeDisk}/home`, store: `${vm.homeDisk}/kept` };
}

type Places = { readonly home: string; readonly store: string };

async function layOut(request: HomeRequest, places: Places): Promise<HomeSources> {
  if (!(await isThere(places.home))) {
    await mkdir(places.home, { recursive: true });
    await chmod(places.home, 0o755);
  }
  const kept = new Map<string, string>();
  for (const bind of request.binds)
    kept.set(bind.name, await seedKept({ base: request.base, store: places.store, bind }));
  return { home: places.home, kept };
}
