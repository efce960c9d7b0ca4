/**
 * A small box for tests of virtual machines: real disks, network and QEMU under an instance of the test's own,
 * with a tiny guest. The machines are emulated: whether this box's processors would do is another test's matter.
 */

import { chmod, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { asId, type DiId, type VmId } from "../../src/domain/ids.ts";
import { idRangeOf } from "../../src/domain/node/id-range.ts";
import { type Layout, layoutOf, vmLayout } from "../../src/domain/node/layout.ts";
import { type MachineKeeps, machineDisks } from "../../src/domain/node/machine-disks.ts";
import { hostAddresses, parseNetworkRange } from "../../src/domain/node/network-range.ts";
import type { HypervisorLab } from "../../src/hypervisor/contract.ts";
import type { MachineSpec } from "../../src/hypervisor/driver.ts";
import { createKvmHypervisor } from "../../src/hypervisor/kvm/kvm-hypervisor.ts";
import {
  type CgroupTree,
  listGroups,
  MACHINE_PARTS,
  openCgroupTree,
} from "../../src/hypervisor/lxc/cgroup-tree.ts";
import { removeInstance } from "../../src/hypervisor/lxc/remove-instance.ts";
import { type Log, silentLog } from "../../src/lib/log.ts";
import { run } from "../../src/lib/run.ts";
import type { DnsmasqFiles } from "../../src/network/dnsmasq-command.ts";
import { createNetwork, type Network } from "../../src/network/network.ts";
import { createStorage, type Storage } from "../../src/storage/storage.ts";
import { claimLab, releaseLab, SHORT_CLAIM_MS } from "./claim-lab.ts";
import { guestDisk } from "./machine-guest.ts";

export interface MachineLab extends HypervisorLab {
  readonly layout: Layout;
  readonly storage: Storage;
  readonly network: Network;
  readonly tree: CgroupTree;
  /** Prepares a desktop of this image. */
  prepareImage(imagePath: string, keeps?: Partial<MachineKeeps>): Promise<MachineSpec>;
  /** What the guest has said since it was last listened to. */
  heard(vmId: VmId): string;
}

export type MachineLabOptions = {
  /** Where its server of addresses reads which desktop gets which. */
  readonly dnsmasq?: DnsmasqFiles;
  readonly memoryMb?: number;
  readonly cpus?: number;
  /** False where the test opens the guest channels itself. */
  readonly hearsGuests?: boolean;
  /** A folder that is there, for what must be able to move. */
  readonly sharedFolder?: string;
  readonly log?: Log;
};

/** Five seconds on a box with nothing else to do; fifty beside what takes most of its processors. */
const PATIENCE_MS = 150_000;
const LAB_ID_FIRST = 1_000_000;
const IMAGE = asId<DiId>(1);

export async function createMachineLab(
  instance: string,
  cidr: string,
  options: MachineLabOptions = {},
): Promise<MachineLab> {
  await claimLab(instance, SHORT_CLAIM_MS);
  const scratch = await mkdtemp(`/var/tmp/qvd-${instance}-`);
  await chmod(scratch, 0o755);
  const layout = layoutOf(`${scratch}/state`, `${scratch}/run`, options.sharedFolder);
  await mkdir(layout.stateFolder);
  const range = parseNetworkRange(cidr);
  const addresses = hostAddresses(range);
  const storage = createStorage({ layout, idRangeFirst: LAB_ID_FIRST, log: silentLog(), reserveBytes: 0 });
  const { dnsmasq, memoryMb = 96, cpus = 1, hearsGuests = true } = options;
  const network = createNetwork({
    ...{ instance, range, resolvers: [], log: silentLog() },
    ...(dnsmasq === undefined ? {} : { dnsmasq }),
  });
  await network.ensure();
  const acceleration = async () => ({ accelerator: "tcg" as const, reason: "a test" });
  const open = () =>
    createKvmHypervisor({
      ...{ instance, layout, acceleration, kvmGid: undefined, resumeEveryMs: 200 },
      log: options.log ?? silentLog(),
      buttonPace: { everyMs: 1_000, forMs: PATIENCE_MS },
    });
  const hypervisor = await open();
  const tree = await openCgroupTree(instance);
  const ears = new Ears();
  let lastId = 0;

  const prepareImage = async (imagePath: string, keeps: Partial<MachineKeeps> = {}): Promise<MachineSpec> => {
    lastId += 1;
    const [slot, vmId] = [lastId, asId<VmId>(lastId)];
    const what = { persistence: "home", diId: IMAGE, imagePath, ...keeps } as const;
    await storage.prepareMachine({ vmId, slot, homeMb: 64, ...what });
    const idRange = idRangeOf(LAB_ID_FIRST, slot);
    const { channel, channelSocket } = vmLayout(layout, vmId);
    await mkdir(channel, { mode: 0o755 });
    if (hearsGuests) await ears.listen(vmId, channelSocket);
    return {
      kind: "machine",
      vmId,
      ...machineDisks(layout, vmId, what),
      channelFolder: channel,
      hasAgent: true,
      hostName: `lab${vmId}`,
      memoryMb,
      cpus,
      idRange,
      port: await network.addPort(vmId, addresses.next().value ?? ""),
    };
  };
  return {
    patienceMs: PATIENCE_MS,
    hypervisor,
    layout,
    storage,
    network,
    tree,
    reopen: open,
    prepareImage,
    prepare: async (manner) => prepareImage(await guestDisk(manner)),
    heard: (vmId) => ears.take(vmId),
    hasBooted: async (vmId) => ears.take(vmId).includes("up "),
    async releaseAndCount(vmId) {
      ears.close(vmId);
      await rm(vmLayout(layout, vmId).channel, { recursive: true, force: true });
      await storage.unmountDesktop(vmId);
      await network.removePort(vmId);
      const disks = (await storage.listMounted()).get(vmId);
      const port = (await network.listPorts()).get(vmId);
      const folders = await readdir(layout.vmsFolder);
      return [
        ...(disks?.mounts ?? []),
        ...folders.filter((name) => name === `${vmId}`).map((name) => `folder ${name}`),
        ...(port === undefined ? [] : [`port ${JSON.stringify(port)}`]),
        ...((await listGroups(tree, MACHINE_PARTS)).get(vmId) ?? []),
      ];
    },
    async dispose() {
      for (const vmId of (await hypervisor.observe()).keys()) {
        await hypervisor.kill(vmId);
        await hypervisor.cleanUp(vmId).catch(() => {}); // The count of what is left is the tests' matter.
      }
      ears.closeAll();
      await network.remove();
      await removeInstance(instance);
      await run(["/usr/bin/rm", "-rf", "--one-file-system", "--", scratch]);
      releaseLab(instance);
    },
  };
}

/** The node's ends of guest channels, where whatever a guest says is only kept. */
class Ears {
  readonly #listeners = new Map<VmId, { stop(closeActive?: boolean): void }>();
  readonly #heard = new Map<VmId, string>();

  async listen(vmId: VmId, path: string): Promise<void> {
    const hear = (text: string) => this.#heard.set(vmId, (this.#heard.get(vmId) ?? "") + text);
    const socket = {
      data: (_socket: unknown, chunk: Uint8Array) => void hear(Buffer.from(chunk).toString()),
    };
    this.#listeners.set(vmId, Bun.listen({ unix: path, socket }));
    await chmod(path, 0o666);
  }

  take(vmId: VmId): string {
    const text = this.#heard.get(vmId) ?? "";
    this.#heard.delete(vmId);
    return text;
  }

  close(vmId: VmId): void {
    this.#listeners.get(vmId)?.stop(true);
    this.#listeners.delete(vmId);
    this.#heard.delete(vmId);
  }

  closeAll(): void {
    for (const vmId of [...this.#listeners.keys()]) this.close(vmId);
  }
}
