/** What a box's hook is told of where a desktop's system lies, by QVD 4's names, as it is at that moment. Pure. */

import type { Persistence } from "../../domain/image/persistence.ts";
import type { VmLayout } from "../../domain/node/layout.ts";

export type HookPlaces = {
  /** "1": what the desktop writes lies over its image; "0": its system is whole; empty where neither is there any more. */
  readonly use_overlay: "0" | "1" | "";
  readonly os_rootfs: string;
  readonly os_overlayfs: string;
};

/** Only what is told here of a mount. */
type Mounted = { readonly mountPoint: string; readonly fileSystem: string; readonly upperFolder?: string };

export function composePlaces(
  osf: { readonly hypervisor: "lxc" | "kvm"; readonly persistence: Persistence },
  { root }: Pick<VmLayout, "root">,
  mounts: readonly Mounted[],
): HookPlaces {
  // Nobody but its guest has a machine's system as a folder.
  if (osf.hypervisor === "kvm")
    return { use_overlay: osf.persistence === "everything" ? "0" : "1", os_rootfs: "", os_overlayfs: "" };
  const mount = mounts.findLast(({ mountPoint }) => mountPoint === root);
  if (mount === undefined) return { use_overlay: "", os_rootfs: root, os_overlayfs: "" };
  const upper = mount.fileSystem === "overlay" ? mount.upperFolder : undefined;
  return { use_overlay: upper === undefined ? "0" : "1", os_rootfs: root, os_overlayfs: upper ?? "" };
}
