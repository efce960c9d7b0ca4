/** The fake that the node's tests stand on keeps the contract of the real drivers. */

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { asId, type VmId } from "../../src/domain/ids.ts";
import { idRangeOf } from "../../src/domain/node/id-range.ts";
import { describeHypervisor, type GuestManner, type HypervisorLab } from "../../src/hypervisor/contract.ts";
import { SimHost, SimHypervisor, type SimTraits } from "../support/sim-hypervisor.ts";

/** A start long enough to be called off in the middle. */
const MANNERS = {
  polite: { startMs: 30 },
  deaf: { startMs: 30, haltMs: 100, ignoresTerminate: true, ignoresPoweroff: true },
} as const satisfies Record<GuestManner, Partial<SimTraits>>;

describeHypervisor("sim", async (): Promise<HypervisorLab> => {
  const host = new SimHost();
  const hypervisor = new SimHypervisor(host);
  const folder = mkdtempSync(`${tmpdir()}/qvd-sim-`);
  let lastId = 0;
  return {
    hypervisor,
    reopen: async () => new SimHypervisor(host),
    prepare: async (manner) => {
      const vmId = asId<VmId>(++lastId);
      hypervisor.set(vmId, MANNERS[manner]);
      const own = `${folder}/${vmId}`;
      for (const name of ["root", "home", "channel"]) mkdirSync(`${own}/${name}`, { recursive: true });
      const port = { bridge: "simbr0", interfaceName: `sim-${vmId}`, mac: "02:51:0a:00:00:02" };
      return {
        kind: "container",
        vmId,
        rootFolder: `${own}/root`,
        homeFolder: `${own}/home`,
        channelFolder: `${own}/channel`,
        agentExecutable: "/bin/true",
        hostName: `sim${vmId}`,
        memoryMb: 128,
        cpus: 1,
        idRange: idRangeOf(1_000_000, lastId),
        port: { ...port, address: "10.0.0.2", prefixLength: 24, gateway: "10.0.0.1" },
      };
    },
    hasBooted: async (vmId) => hypervisor.hasBooted(vmId),
    releaseAndCount: async (vmId) => (host.desktops.has(vmId) ? [`desktop ${vmId}`] : []),
    dispose: async () => {
      for (const vmId of host.desktops.keys()) hypervisor.die(vmId);
      rmSync(folder, { recursive: true, force: true });
    },
  };
});
