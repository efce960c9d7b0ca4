/** What becomes of the data of a deleted desktop: it is put aside, never destroyed. */

import { closeSync, openSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { VmId } from "../domain/ids.ts";
import { homeFolder, homeImage, keptFolder, vmLayout } from "../domain/node/layout.ts";
import { AppError } from "../lib/errors.ts";
import { isThere } from "./is-there.ts";
import { holderPath, lockImage } from "./mount-image.ts";
import { listMountsBelow } from "./mountinfo.ts";
import type { StorageContext } from "./storage.ts";

/**
 * Returns where the home lies now, or else what was kept of the system; undefined when there was neither.
 * Refused with `conflict` while it is mounted, here or on another box.
 */
export async function retireHome(
  context: StorageContext,
  vmId: VmId,
  now: Date,
): Promise<string | undefined> {
  const { layout } = context;
  if (listMountsBelow(vmLayout(layout, vmId).folder).length > 0)
    throw new AppError("conflict", `Putting the home of desktop ${vmId} aside: it is still mounted`);
  const image = homeImage(layout, vmId);
  // Another box may have it, whatever this one believes.
  if (await isThere(image)) await refuseUsed(context, image);
  const stamp = now.toISOString().replace(/[-:]/g, "").replace(/\..*/, "Z");
  const asides: string[] = [];
  for (const [path, ending] of [
    [homeFolder(layout, vmId), ""],
    [image, ".img"],
    [keptFolder(layout, vmId), ""],
  ] as const) {
    if (!(await isThere(path))) continue;
    const aside = `${dirname(path)}/deleted-${basename(path, ending)}-${stamp}${ending}`;
    await rename(path, aside);
    asides.push(aside);
  }
  for (const path of [holderPath(image), ...["lock", "new", "moving"].map((ending) => `${image}.${ending}`)])
    await rm(path, { force: true });
  return asides[0];
}

async function refuseUsed(context: StorageContext, path: string): Promise<void> {
  const descriptor = openSync(path, "r+");
  try {
    await lockImage(context, path, descriptor);
  } finally {
    closeSync(descriptor);
  }
}
