/**
 * Desktops as LXC containers: one `lxc-start` each, in control groups of its own, which goes on when the node
 * process ends. LXC's other tools are not used: they hang when a container does, and deny what they lost
 * track of. What lives is read from the control groups, and ended through them. Decides nothing and
 * remembers nothing; the node's executors call it.
 */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { VmId } from "../../domain/ids.ts";
import type { Layout } from "../../domain/node/layout.ts";
import { interfaceName } from "../../domain/node/network-names.ts";
import { AppError, invariant } from "../../lib/errors.ts";
import { run } from "../../lib/run.ts";
import { waitFor } from "../../lib/wait.ts";
import { clearRemains } from "../clear-remains.ts";
import { hasInterface } from "../desktop-interfaces.ts";
import type { ContainerSpec, Hypervisor } from "../driver.ts";
import { observeDesktops } from "../observe-desktops.ts";
import {
  CGROUP_PARTS,
  type CgroupTree,
  ensurePartFolders,
  findGroups,
  isPopulated,
  killGroup,
  listProcesses,
  openCgroupTree,
  removeGroup,
} from "./cgroup-tree.ts";
import { removeFiles } from "./container-files.ts";
import { raiseCpuShare, weighDesktops } from "./cpu-share.ts";
import { isSystemd } from "./detect-init.ts";
import { findInit } from "./find-init.ts";
import { listens } from "./listens.ts";
import { createGroupReadier } from "./ready-groups.ts";
import { startContainer } from "./start-container.ts";
import { SYSTEMD_SIGNALS } from "./systemd-files.ts";
import { watchGroups } from "./watch-groups.ts";
import { widenWay } from "./widen-way.ts";

export type LxcOptions = {
  readonly instance: string;
  readonly layout: Layout;
  /** Name servers that desktops are told. */
  readonly resolvers: readonly string[];
  /** Domain that they look short names up in; empty or missing for none. */
  readonly searchDomain?: string;
  /** The box's own address on their bridge, where nothing but desktops is on it: their way there is widened. */
  readonly boxAddress?: string | undefined;
};

/** What the verbs of this folder work with. */
export type LxcContext = LxcOptions & { readonly tree: CgroupTree };

/** How long LXC's monitor may tidy up after its container was killed; it takes 40 ms. */
const TIDY_TIMEOUT_MS = 500;

/** `unavailable` on a host without the control groups that desktops need. */
export async function createLxcHypervisor(options: LxcOptions): Promise<Hypervisor> {
  const tree = await openCgroupTree(options.instance);
  await ensurePartFolders(tree);
  await weighDesktops(tree);
  const context: LxcContext = { ...options, tree };
  const makeGroupsReady = createGroupReadier(tree);
  return {
    observe: (only) => observeDesktops({ tree, parts: CGROUP_PARTS, cable: "veth" }, only),
    expectStart: () => void makeGroupsReady(),
    async start(spec, signal) {
      invariant(spec.kind === "container", `desktop ${spec.vmId} is no container`);
      if (hasRemains(context, spec.vmId)) await makeRoom(context, spec);
      try {
        await startContainer(context, spec, signal);
      } catch (cause) {
        await clear(context, spec.vmId);
        throw cause;
      }
    },
    settle: (vmId) => raiseCpuShare(tree, vmId),
    widenWay: (vmId) => widen(context, vmId),
    async halt(vmId) {
      const init = await findInit(tree, vmId);
      if (init !== undefined)
        signalProcess(init, (await runsSystemd(init)) ? SYSTEMD_SIGNALS.halt : "SIGTERM");
    },
    isListening: (vmId, port) => listens(tree, vmId, port),
    async terminate(vmId) {
      const init = await findInit(tree, vmId);
      // The monitor would only pass TERM on, by which systemd reads its units again.
      if (init !== undefined && (await runsSystemd(init)))
        return signalProcess(init, SYSTEMD_SIGNALS.haltAtOnce);
      for (const pid of await listProcesses(tree, "monitor", vmId)) signalProcess(pid);
    },
    kill: (vmId) => kill(context, vmId),
    cleanUp: (vmId) => cleanUp(context, vmId),
    watch: (onChange) => watchGroups(tree, onChange),
  };
}

async function widen({ tree, instance, boxAddress }: LxcContext, vmId: VmId): Promise<boolean> {
  const init = boxAddress === undefined ? undefined : await findInit(tree, vmId);
  if (init === undefined || boxAddress === undefined) return false;
  try {
    return await widenWay({ init, interfaceName: interfaceName(instance, vmId), boxAddress });
  } catch (cause) {
    // It has ended meanwhile.
    if ((await findInit(tree, vmId)) !== init) return false;
    throw cause;
  }
}

async function isAlive(tree: CgroupTree, vmId: VmId): Promise<boolean> {
  for (const part of CGROUP_PARTS) if (await isPopulated(tree, part, vmId)) return true;
  return false;
}

/** Ends what remains of an earlier life: half a start, or a container that lost its monitor. A whole one is not ours to end. */
async function makeRoom(context: LxcContext, spec: ContainerSpec): Promise<void> {
  const { tree } = context;
  const isWhole =
    (await isPopulated(tree, "container", spec.vmId)) && (await isPopulated(tree, "monitor", spec.vmId));
  if (isWhole && !(await isPopulated(tree, "starter", spec.vmId)))
    throw new AppError("conflict", `Starting desktop ${spec.vmId}: it already runs on this box`);
  await clear(context, spec.vmId);
}

/** Nearly never, and a person waits for the start. Files are written anew anyway. */
function hasRemains({ tree, instance }: LxcContext, vmId: VmId): boolean {
  return (
    findGroups(tree, CGROUP_PARTS, vmId).length > 0 ||
    existsSync(`/sys/class/net/${interfaceName(instance, vmId)}`)
  );
}

function clear(context: LxcContext, vmId: VmId): Promise<void> {
  return clearRemains(vmId, {
    isAlive: () => isAlive(context.tree, vmId),
    kill: () => kill(context, vmId),
    cleanUp: () => cleanUp(context, vmId),
    survivor: "a process of it",
  });
}

async function kill(context: LxcContext, vmId: VmId): Promise<void> {
  const { tree } = context;
  await killGroup(tree, "starter", vmId);
  await killGroup(tree, "container", vmId);
  // The monitor removes groups and interface by itself when it may.
  await waitFor(async () => !(await isPopulated(tree, "monitor", vmId)), {
    timeoutMs: TIDY_TIMEOUT_MS,
    everyMs: 10,
  });
  await killGroup(tree, "monitor", vmId);
}

async function cleanUp(context: LxcContext, vmId: VmId): Promise<void> {
  const { tree, instance, layout } = context;
  const refusal = () =>
    new AppError("conflict", `Cleaning up after desktop ${vmId}: processes of it are alive`);
  if (await isAlive(tree, vmId)) throw refusal();
  for (const folder of findGroups(tree, CGROUP_PARTS, vmId))
    if (!(await removeGroup(folder))) throw refusal();
  await removeInterface(interfaceName(instance, vmId));
  await removeFiles(layout, vmId);
}

/** The kernel takes an interface away by itself some 100 ms after its container; that must not collide with a new start. */
async function removeInterface(name: string): Promise<void> {
  if (!(await hasInterface(name, "veth"))) return;
  const result = await run(["/usr/sbin/ip", "link", "del", name], { timeoutMs: 10_000 });
  const isGone = result.exitCode === 0 || /Cannot find device/.test(result.stderr);
  if (!isGone) throw new AppError("driver-failed", `Removing the interface ${name}: ${result.stderr.trim()}`);
}

async function runsSystemd(init: number): Promise<boolean> {
  return isSystemd(await readFile(`/proc/${init}/comm`, "utf8").catch(() => ""));
}

function signalProcess(pid: number, signal: NodeJS.Signals | number = "SIGTERM"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in the meantime, which is what was wanted.
  }
}
