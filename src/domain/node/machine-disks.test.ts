import { describe, expect, test } from "bun:test";
import { asId, type DiId, type VmId } from "../ids.ts";
import { PERSISTENCES } from "../image/persistence.ts";
import { layoutOf } from "./layout.ts";
import { machineDisks } from "./machine-disks.ts";

const layout = layoutOf("/state", "/run/qvd", "/shared");
const disksOf = (persistence: (typeof PERSISTENCES)[number], image = 3) =>
  machineDisks(layout, asId<VmId>(7), {
    persistence,
    diId: asId<DiId>(image),
    imagePath: "/shared/images/3-desk.qcow2",
  });

describe("a machine's disks", () => {
  for (const persistence of PERSISTENCES)
    test(`with ${persistence}: its system is fresh over the image unless everything is kept`, () => {
      const { systemDisk, imageDisk } = disksOf(persistence);
      const isKept = persistence === "everything";
      expect(imageDisk).toBe(isKept ? undefined : "/shared/images/3-desk.qcow2");
      expect(systemDisk.startsWith(isKept ? "/shared/kept/7/" : "/state/vms/7/")).toBe(true);
    });

  test("a kept system is one of its image", () =>
    expect(disksOf("everything", 3).systemDisk).not.toBe(disksOf("everything", 4).systemDisk));

  test("what a person keeps lies on the shared storage, and is no container's home", () =>
    expect(disksOf("home").homeDisk).toBe("/shared/homes/7.disk"));

  test("a flavour that keeps nothing has no disk for the person", () =>
    expect(disksOf("nothing").homeDisk).toBeUndefined());
});
