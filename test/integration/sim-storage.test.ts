/** The fake keeps the storage's contract, or the tests of the node's loop would prove nothing. */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { asId, type DiId, type VmId } from "../../src/domain/ids.ts";
import { baseFolder, layoutOf, vmLayout } from "../../src/domain/node/layout.ts";
import { run } from "../../src/lib/run.ts";
import { describeStorage } from "../../src/storage/contract.ts";
import { createSimStorage } from "../support/sim/storage.ts";

const IMAGES = [asId<DiId>(3), asId<DiId>(4)] as const;

describeStorage(
  "sim",
  async () => {
    const scratch = await mkdtemp(`${tmpdir()}/qvd-sim-`);
    const layout = layoutOf(`${scratch}/state`, `${scratch}/run`);
    const storage = createSimStorage(layout);
    for (const diId of IMAGES) {
      const base = baseFolder(layout, diId);
      for (const name of ["etc", "var/log"]) await mkdir(`${base}/${name}`, { recursive: true });
      await writeFile(`${base}/etc/passwd`, "root:x:0:0\n");
      await writeFile(`${base}/var/log/installed`, "");
    }
    let last = 10;
    return {
      layout,
      storage,
      reopen: () => createSimStorage(layout),
      images: IMAGES,
      newDesktop: () => ({ vmId: asId<VmId>(++last), slot: last }),
      runInside({ vmId }, script) {
        const vm = vmLayout(layout, vmId);
        // Links stand for mounts here.
        const env = { ROOT: `${vm.root}/.`, HOME: `${vm.home}/.`, KEPT: vm.kept };
        return run(["/bin/sh", "-c", script], { env });
      },
      dispose: () => rm(scratch, { recursive: true }),
    };
  },
  { hasLimits: false },
);
