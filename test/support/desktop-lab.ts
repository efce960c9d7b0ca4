/**
 * A small box for system tests: real storage, network and containers under an instance of the test's own, with
 * a tiny root file system and a shell script in the agent's place.
 */

import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { asId, type DiId, type VmId } from "../../src/domain/ids.ts";
import { idRangeOf } from "../../src/domain/node/id-range.ts";
import { homeFolder, type Layout, layoutOf, vmLayout } from "../../src/domain/node/layout.ts";
import { hostAddresses, parseNetworkRange } from "../../src/domain/node/network-range.ts";
import type { GuestManner, HypervisorLab } from "../../src/hypervisor/contract.ts";
import type { ContainerSpec } from "../../src/hypervisor/driver.ts";
import { type CgroupTree, listGroups, openCgroupTree } from "../../src/hypervisor/lxc/cgroup-tree.ts";
import { findInit } from "../../src/hypervisor/lxc/find-init.ts";
import { createLxcHypervisor } from "../../src/hypervisor/lxc/lxc-hypervisor.ts";
import { removeInstance } from "../../src/hypervisor/lxc/remove-instance.ts";
import { silentLog } from "../../src/lib/log.ts";
import { type RunResult, run } from "../../src/lib/run.ts";
import { createNetwork, type Network } from "../../src/network/network.ts";
import { createStorage, type Storage } from "../../src/storage/storage.ts";
import { claimLab, releaseLab, SHORT_CLAIM_MS } from "./claim-lab.ts";
import { makeTinyRoot, packRoot } from "./tiny-root.ts";

export interface DesktopLab extends HypervisorLab {
  readonly layout: Layout;
  readonly storage: Storage;
  readonly network: Network;
  readonly tree: CgroupTree;
  /** Prepares a desktop whose agent is this shell script. */
  prepareScript(script: string): Promise<ContainerSpec>;
  /** Runs a command on the host, but in the desktop's network. */
  inNetworkOf(vmId: VmId, command: readonly string[]): Promise<RunResult>;
  /** Runs a shell script as root of the desktop. */
  inGuest(vmId: VmId, script: string): Promise<RunResult>;
  init(vmId: VmId): Promise<number | undefined>;
}

export const LAB_ID_FIRST = 1_000_000;
const IMAGE = asId<DiId>(1);

/** What the agent writes tells of its life: `/home/agent.log` in the desktop. */
const MANNERS = {
  polite: `echo up >>/home/agent.log
trap 'echo term >>/home/agent.log; exit 0' TERM
sleep 1000 & wait`,
  deaf: `trap '' TERM
setsid sh -c 'trap "" TERM HUP; while :; do sleep 1; done' &
echo up >>/home/agent.log
while :; do sleep 1; done`,
} as const satisfies Record<GuestManner, string>;

export type LabImage = {
  /** An archive; a tiny root is made where none is given. */
  readonly archive?: string;
  readonly memoryMb?: number;
  /** Our real executable as the agent, in place of a script. */
  readonly agent?: string;
};

export async function createDesktopLab(
  instance: string,
  cidr: string,
  image: LabImage = {},
): Promise<DesktopLab> {
  await claimLab(instance, SHORT_CLAIM_MS);
  const scratch = await mkdtemp(`/var/tmp/qvd-${instance}-`);
  await chmod(scratch, 0o755);
  const layout = layoutOf(`${scratch}/state`, `${scratch}/run`);
  await mkdir(layout.stateFolder);
  const archive = image.archive ?? `${scratch}/tiny.tar`;
  if (image.archive === undefined) {
    await makeTinyRoot(`${scratch}/tiny`);
    await packRoot(`${scratch}/tiny`, archive);
  }
  const agentExecutable = image.agent ?? `${scratch}/agent`;
  await writeFile(`${scratch}/agent`, "#!/bin/sh\nexec /bin/sh /run/qvd/script\n", { mode: 0o755 });
  const range = parseNetworkRange(cidr);
  const addresses = hostAddresses(range);
  const storage = createStorage({ layout, idRangeFirst: LAB_ID_FIRST, log: silentLog(), reserveBytes: 0 });
  const network = createNetwork({ instance, range, resolvers: [], log: silentLog() });
  await network.ensure();
  await storage.ensureBase(IMAGE, archive, new AbortController().signal);
  const open = () =>
    createLxcHypervisor({
      ...{ instance, layout, resolvers: ["192.0.2.53"], searchDomain: "office.test" },
      boxAddress: range.gateway,
    });
  const hypervisor = await open();
  const tree = await openCgroupTree(instance);
  let lastId = 0;

  const prepareScript = async (script: string): Promise<ContainerSpec> => {
    lastId += 1;
    const slot = lastId;
    const vmId = asId<VmId>(slot);
    const mounted = await storage.mountDesktop({ vmId, diId: IMAGE, slot });
    const channelFolder = vmLayout(layout, vmId).channel;
    await mkdir(channelFolder);
    await writeFile(`${channelFolder}/script`, script);
    const port = await network.addPort(vmId, addresses.next().value ?? "");
    const idRange = idRangeOf(LAB_ID_FIRST, slot);
    const size = { memoryMb: image.memoryMb ?? 128, cpus: 1 };
    return {
      kind: "container",
      vmId,
      ...mounted,
      channelFolder,
      agentExecutable,
      hostName: `lab${vmId}`,
      ...size,
      idRange,
      port,
    };
  };
  const init = (vmId: VmId) => findInit(tree, vmId);
  const enter = async (vmId: VmId, words: readonly string[]) =>
    run(["/usr/bin/nsenter", `--target=${await init(vmId)}`, ...words], { timeoutMs: 20_000 });
  return {
    hypervisor,
    layout,
    storage,
    network,
    tree,
    init,
    reopen: open,
    prepareScript,
    prepare: (manner) => prepareScript(MANNERS[manner]),
    inNetworkOf: (vmId, command) => enter(vmId, ["--net", "--", ...command]),
    inGuest: (vmId, script) =>
      enter(vmId, [
        ...["--user", "--mount", "--pid", "--net", "--uts", "--ipc", "--setuid=0", "--setgid=0"],
        ...["--root", "--wd", "--", "/bin/sh", "-c", script],
      ]),
    async hasBooted(vmId) {
      const text = await readFile(`${homeFolder(layout, vmId)}/agent.log`, "utf8").catch(() => "");
      return text.includes("up\n");
    },
    async releaseAndCount(vmId) {
      await rm(vmLayout(layout, vmId).channel, { recursive: true, force: true });
      await storage.unmountDesktop(vmId);
      await network.removePort(vmId);
      return countLeftovers({ layout, storage, network, tree }, vmId);
    },
    async dispose() {
      for (const vmId of (await hypervisor.observe()).keys()) {
        await hypervisor.kill(vmId);
        await hypervisor.cleanUp(vmId).catch(() => {}); // The count of what is left is the tests' matter.
      }
      for (const vmId of (await storage.listMounted()).keys()) await storage.unmountDesktop(vmId);
      await network.remove();
      await removeInstance(instance);
      await run(["/usr/bin/rm", "-rf", "--one-file-system", "--", scratch]);
      releaseLab(instance);
    },
  };
}

type LabParts = Pick<DesktopLab, "layout" | "storage" | "network" | "tree">;

async function countLeftovers(lab: LabParts, vmId: VmId): Promise<readonly string[]> {
  const disks = (await lab.storage.listMounted()).get(vmId);
  const port = (await lab.network.listPorts()).get(vmId);
  const folders = await readdir(lab.layout.vmsFolder);
  return [
    ...(disks?.mounts ?? []),
    ...folders.filter((name) => name === `${vmId}`).map((name) => `folder ${name}`),
    ...(port === undefined ? [] : [`port ${JSON.stringify(port)}`]),
    ...((await listGroups(lab.tree)).get(vmId) ?? []),
  ];
}
