/** What becomes of the home of a deleted desktop: it is put aside, never destroyed. */

import { rename } from "node:fs/promises";
import type { VmId } from "../domain/ids.ts";
import { homeFolder, vmLayout } from "../domain/node/layout.ts";
import { AppError } from "../lib/errors.ts";
import type { StorageContext } from "./storage.ts";
import { mountsBelow } from "./unmount-desktop.ts";

/** Returns where the home lies now; undefined when there was none. Refused with `conflict` while it is mounted. */
export async function retireHome(
  context: StorageContext,
  vmId: VmId,
  now: Date,
): Promise<string | undefined> {
  const mounts = await mountsBelow(vmLayout(context.layout, vmId).folder);
  if (mounts.length > 0)
    throw new AppError("conflict", `Putting the home of desktop ${vmId} aside: it is still mounted`);
  const stamp = now.toISOString().replace(/[-:]/g, "").replace(/\..*/, "Z");
  const aside = `${context.layout.homesFolder}/deleted-${vmId}-${stamp}`;
  try {
    await rename(homeFolder(context.layout, vmId), aside);
    return aside;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw cause;
  }
}
