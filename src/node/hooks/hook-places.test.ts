import { describe, expect, test } from "bun:test";
import { composePlaces } from "./hook-places.ts";

const LXC = { hypervisor: "lxc", persistence: "home" } as const;
const PLACES = { root: "/state/vms/7/root" };
const base = { mountPoint: PLACES.root, fileSystem: "ext4" };
const overlay = {
  mountPoint: PLACES.root,
  fileSystem: "overlay",
  upperFolder: "/state/kept/7/system-1/upper",
};

describe("where a desktop's system lies, for a box's hook", () => {
  test("is an overlay with the folder that is written to, wherever that is", () =>
    expect(composePlaces(LXC, PLACES, [base, overlay])).toEqual({
      use_overlay: "1",
      os_rootfs: PLACES.root,
      os_overlayfs: overlay.upperFolder,
    }));

  test("is whole where it was copied", () =>
    expect(composePlaces(LXC, PLACES, [base])).toEqual({
      use_overlay: "0",
      os_rootfs: PLACES.root,
      os_overlayfs: "",
    }));

  test("is nowhere any more once the desktop is stopped", () => {
    const others = [{ ...overlay, mountPoint: "/state/vms/8/root" }];
    expect(composePlaces(LXC, PLACES, others)).toMatchObject({ use_overlay: "", os_overlayfs: "" });
  });

  test("of a machine is no folder; over its image unless all of it is kept", () => {
    for (const [persistence, use_overlay] of [
      ["home", "1"],
      ["everything", "0"],
    ] as const)
      expect(composePlaces({ hypervisor: "kvm", persistence }, PLACES, [overlay])).toEqual({
        use_overlay,
        os_rootfs: "",
        os_overlayfs: "",
      });
  });
});
