/**
 * The simulated driver keeps the contract of the real ones: with agents on real sockets and the system's timers, as
 * the tests of the node's loop have it, and with a clock driven by hand, as the scenarios have it.
 */

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { asId, type VmId } from "../../src/domain/ids.ts";
import { idRangeOf } from "../../src/domain/node/id-range.ts";
import {
  describeHypervisor,
  type GuestManner,
  type HypervisorLab,
  type LabTime,
} from "../../src/hypervisor/contract.ts";
import type { DesktopSpec } from "../../src/hypervisor/driver.ts";
import { SimHost, SimHypervisor } from "../../src/hypervisor/sim/sim-hypervisor.ts";
import { createSimHost, createSimHypervisor, type SimTraits } from "../support/sim/hypervisor.ts";
import { newOwner, SimTime } from "../support/sim/time.ts";

/** A start long enough to be called off in the middle. */
const MANNERS = {
  polite: { startMs: 100 },
  deaf: { startMs: 100, haltMs: 100, ignoresTerminate: true, ignoresPoweroff: true },
} as const satisfies Record<GuestManner, Partial<SimTraits>>;

describeHypervisor("sim", async (): Promise<HypervisorLab> => {
  const host = createSimHost();
  const hypervisor = createSimHypervisor(host);
  const folder = mkdtempSync(`${tmpdir()}/qvd-sim-`);
  let lastId = 0;
  return {
    hypervisor,
    reopen: async () => createSimHypervisor(host),
    prepare: async (manner) => {
      const vmId = asId<VmId>(++lastId);
      hypervisor.set(vmId, MANNERS[manner]);
      for (const name of ["root", "home", "channel"])
        mkdirSync(`${folder}/${vmId}/${name}`, { recursive: true });
      return specOf(vmId, folder);
    },
    hasBooted: async (vmId) => hypervisor.hasBooted(vmId),
    releaseAndCount: async (vmId) => (host.desktops.has(vmId) ? [`desktop ${vmId}`] : []),
    dispose: async () => {
      for (const vmId of host.desktops.keys()) hypervisor.die(vmId);
      rmSync(folder, { recursive: true, force: true });
    },
  };
});

describeHypervisor("sim by a hand-driven clock", async (): Promise<HypervisorLab> => {
  const time = new SimTime();
  const options = {
    timers: time.timersOf(newOwner("box")),
    makeGuest: () => ({ attach() {}, leave() {} }),
    hasDisk: (path: string) => !path.endsWith("-missing"),
  };
  const host = new SimHost();
  const hypervisor = new SimHypervisor(options, host);
  let lastId = 0;
  return {
    time: labTime(time),
    hypervisor,
    reopen: async () => new SimHypervisor(options, host),
    prepare: async (manner) => {
      const vmId = asId<VmId>(++lastId);
      hypervisor.set(vmId, MANNERS[manner]);
      return specOf(vmId, "/nowhere");
    },
    hasBooted: async (vmId) => hypervisor.hasBooted(vmId),
    releaseAndCount: async (vmId) => (host.desktops.has(vmId) ? [`desktop ${vmId}`] : []),
    dispose: async () => {},
  };
});

function labTime(time: SimTime): LabTime {
  return {
    nowMs: () => time.nowMs,
    waitFor: async (condition, timeoutMs) => (await time.waitFor(condition, timeoutMs)) === true,
    pass: (ms) => time.advance(ms),
    until: async (work) => {
      let isEnded = false;
      const mark = () => {
        isEnded = true;
      };
      work.then(mark, mark);
      await time.waitFor(() => isEnded, 60_000);
      return await work;
    },
  };
}

function specOf(vmId: VmId, folder: string): DesktopSpec {
  const port = { bridge: "simbr0", interfaceName: `sim-${vmId}`, mac: "02:51:0a:00:00:02" };
  return {
    kind: "container",
    vmId,
    rootFolder: `${folder}/${vmId}/root`,
    homeFolder: `${folder}/${vmId}/home`,
    channelFolder: `${folder}/${vmId}/channel`,
    agentExecutable: "/bin/true",
    hostName: `sim${vmId}`,
    memoryMb: 128,
    cpus: 1,
    idRange: idRangeOf(1_000_000, vmId),
    port: { ...port, address: "10.0.0.2", prefixLength: 24, gateway: "10.0.0.1" },
  };
}
