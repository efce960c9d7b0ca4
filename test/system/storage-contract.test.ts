/** Every way of storing desktops, on real file systems. */

import { describeStorage } from "../../src/storage/contract.ts";
import { makeDiskLab } from "../support/disk-lab.ts";

describeStorage("overlay", () => makeDiskLab({ driver: "overlay" }));
describeStorage("overlay, shared", () => makeDiskLab({ driver: "overlay", isShared: true }));
describeStorage("btrfs", () => makeDiskLab({ driver: "btrfs" }));
describeStorage("copy", () => makeDiskLab({ driver: "copy" }));
