/**
 * Where a desktop's home and system lie, by what its OSF promises and what there is already. Pure. A plain
 * folder is the fastest; a file system in a file has an end, and can be locked and moved to another box.
 */

import type { Persistence } from "../image/persistence.ts";

export type DiskFacts = {
  readonly persistence: Persistence;
  readonly homeMb: number | undefined;
  readonly systemMb: number | undefined;
  /** True where other boxes see the homes too. */
  readonly isShared: boolean;
  /** What is kept of the desktop from earlier starts. */
  readonly home: { readonly hasImage: boolean };
  readonly system: { readonly hasImage: boolean };
};

/** `sizeMb` undefined: as large as it is, or the usual size where it is new. */
export type DiskPlan =
  | { readonly kind: "fresh-folder" }
  | { readonly kind: "fresh-image"; readonly sizeMb: number }
  | { readonly kind: "folder" }
  | { readonly kind: "image"; readonly sizeMb: number | undefined };

export type DesktopDiskPlan = { readonly home: DiskPlan; readonly system: DiskPlan };

export function planDisks(facts: DiskFacts): DesktopDiskPlan {
  const { persistence, homeMb, systemMb, isShared, home, system } = facts;
  return {
    home: persistence === "nothing" ? planFresh(homeMb) : planKept(home, homeMb, isShared),
    system: persistence === "everything" ? planKept(system, systemMb, isShared) : planFresh(systemMb),
  };
}

function planFresh(sizeMb: number | undefined): DiskPlan {
  return sizeMb === undefined ? { kind: "fresh-folder" } : { kind: "fresh-image", sizeMb };
}

/** What is in an image stays there, even when neither limit nor other boxes ask for it any more. */
function planKept(
  there: { readonly hasImage: boolean },
  sizeMb: number | undefined,
  isShared: boolean,
): DiskPlan {
  if (!there.hasImage && !isShared && sizeMb === undefined) return { kind: "folder" };
  return { kind: "image", sizeMb };
}
