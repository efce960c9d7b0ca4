/** What a box says of its homes and its shared storage. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { vmLayout } from "../../src/domain/node/layout.ts";
import { runOk } from "../../src/lib/run.ts";
import { type DiskLab, makeDiskLab } from "../support/disk-lab.ts";

let lab: DiskLab;
beforeAll(async () => {
  lab = await makeDiskLab({ driver: "overlay", isShared: true });
}, 180_000);
afterAll(() => lab.dispose());

test("homes with a file system of their own are told with their use while they are mounted", async () => {
  const desktop = { ...lab.newDesktop(), diId: lab.images[0], homeMb: 100, systemMb: 30 };
  await lab.storage.mountDesktop(desktop);
  await lab.runInside(desktop, 'head -c 60M /dev/zero >"$HOME/big"; sync -f "$HOME/big"');
  const { homes, sharedFreeMb } = await lab.storage.readUse();
  expect(sharedFreeMb).toBeGreaterThan(0);
  expect(homes.map(({ vmId }) => vmId)).toEqual([desktop.vmId]);
  expect(homes[0]?.usedMb).toBeGreaterThanOrEqual(60);
  expect(homes[0]?.usedMb).toBeLessThan(homes[0]?.sizeMb ?? 0);
  expect((await lab.storage.readUse()).halted).toEqual([]);
  // As the kernel does to a file system that can't be written any more.
  const { homeDisk } = vmLayout(lab.layout, desktop.vmId);
  await runOk("stopping its writing", ["/usr/bin/mount", "-o", "remount,ro", homeDisk]);
  expect((await lab.storage.readUse()).halted).toEqual([desktop.vmId]);
  await lab.storage.unmountDesktop(desktop.vmId);
  expect((await lab.storage.readUse()).homes).toEqual([]);
});
