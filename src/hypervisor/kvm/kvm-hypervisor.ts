/**
 * Desktops as virtual machines: one QEMU each, in a control group and under a user id of its own, which goes
 * on when the node process ends. What lives is read from the control groups, and ended through them; QEMU's
 * own control socket is asked only for what nothing else can do. Decides nothing and remembers nothing; the
 * node's executors call it.
 */

import type { VmId } from "../../domain/ids.ts";
import type { Layout } from "../../domain/node/layout.ts";
import { VM_LIMITS } from "../../domain/vm/facts.ts";
import { AppError, invariant } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { clearRemains } from "../clear-remains.ts";
import type { Hypervisor, MachineSpec } from "../driver.ts";
import {
  type CgroupTree,
  ensurePartFolders,
  isPopulated,
  killGroup,
  listGroups,
  listProcesses,
  MACHINE_PARTS,
  openCgroupTree,
  removeGroup,
} from "../lxc/cgroup-tree.ts";
import { watchGroups } from "../lxc/watch-groups.ts";
import { observeDesktops } from "../observe-desktops.ts";
import { machineFiles, removeFiles } from "./machine-files.ts";
import { type ButtonPace, pressButton } from "./press-button.ts";
import type { Acceleration } from "./probe-acceleration.ts";
import { visitQmp } from "./qmp.ts";
import { resumeStalled } from "./resume-stalled.ts";
import { startMachine } from "./start-machine.ts";

export type KvmOptions = {
  readonly instance: string;
  readonly layout: Layout;
  /** What was found out about this machine's processors; asked at each start. */
  readonly acceleration: () => Promise<Acceleration>;
  /** Group of /dev/kvm. */
  readonly kvmGid: number | undefined;
  /** How often machines that stand still for want of room are tried again, while somebody watches. */
  readonly resumeEveryMs?: number;
  /** How the power button is pressed; to the end of the time that a desktop has for going down, where none is given. */
  readonly buttonPace?: ButtonPace;
  readonly log?: Log;
};

/** What the verbs of this folder work with. */
export type KvmContext = KvmOptions & { readonly tree: CgroupTree };

const RESUME_EVERY_MS = 30_000;
const POWER_DOWN_TIMEOUT_MS = 5_000;
const BUTTON_PACE: ButtonPace = { everyMs: 2_000, forMs: VM_LIMITS.goingDownMs };

/** `unavailable` on a host without the control groups that desktops need. */
export async function createKvmHypervisor(options: KvmOptions): Promise<Hypervisor> {
  const tree = await openCgroupTree(options.instance);
  await ensurePartFolders(tree, MACHINE_PARTS);
  const context: KvmContext = { ...options, tree };
  return {
    observe: (only) => observeDesktops({ tree, parts: MACHINE_PARTS, cable: "tap" }, only),
    async start(spec, signal) {
      invariant(spec.kind === "machine", `desktop ${spec.vmId} is no virtual machine`);
      await makeRoom(context, spec);
      try {
        await startMachine(context, spec, signal);
      } catch (cause) {
        await clear(context, spec.vmId);
        throw cause;
      }
    },
    // Its share is a running one's from the start: a whole system boots in there, and an emulated one barely in time.
    settle: async () => {},
    halt: (vmId) => powerDown(context, vmId),
    async terminate(vmId) {
      // QEMU writes what it holds of its disks and ends; for the guest it is as if the plug were pulled.
      for (const pid of await listProcesses(tree, "machine", vmId)) signalProcess(pid);
    },
    kill: (vmId) => killGroup(tree, "machine", vmId),
    cleanUp: (vmId) => cleanUp(context, vmId),
    watch(onChange) {
      const stopWatching = watchGroups(tree, onChange, MACHINE_PARTS);
      const timer = setInterval(() => void resumeStalled(context), options.resumeEveryMs ?? RESUME_EVERY_MS);
      timer.unref();
      return () => {
        clearInterval(timer);
        stopWatching();
      };
    },
  };
}

/** A living machine is not ours to end, and a start that lost its node halfway is one: it goes on by itself. */
async function makeRoom(context: KvmContext, { vmId }: MachineSpec): Promise<void> {
  if (await isPopulated(context.tree, "machine", vmId))
    throw new AppError("conflict", `Starting desktop ${vmId}: it already runs on this box`);
  await clear(context, vmId);
}

/** A guest that listens for its power button goes down; another one runs on. */
async function powerDown({ tree, layout, buttonPace = BUTTON_PACE }: KvmContext, vmId: VmId): Promise<void> {
  const [pid] = await listProcesses(tree, "machine", vmId);
  if (pid === undefined) return;
  const { control } = machineFiles(layout, vmId);
  await pressButton(
    {
      press: () => visitQmp(control, POWER_DOWN_TIMEOUT_MS, (command) => command("system_powerdown")),
      isUp: async () => (await listProcesses(tree, "machine", vmId)).includes(pid),
    },
    buttonPace,
  );
}

function clear(context: KvmContext, vmId: VmId): Promise<void> {
  return clearRemains(vmId, {
    isAlive: () => isPopulated(context.tree, "machine", vmId),
    kill: () => killGroup(context.tree, "machine", vmId),
    cleanUp: () => cleanUp(context, vmId),
    survivor: "its QEMU",
  });
}

async function cleanUp(context: KvmContext, vmId: VmId): Promise<void> {
  const { tree, layout } = context;
  const refusal = () => new AppError("conflict", `Cleaning up after desktop ${vmId}: its QEMU is alive`);
  if (await isPopulated(tree, "machine", vmId)) throw refusal();
  for (const folder of (await listGroups(tree, MACHINE_PARTS)).get(vmId) ?? [])
    if (!(await removeGroup(folder))) throw refusal();
  // Its tap went with its QEMU, whose descriptor was the only one.
  await removeFiles(machineFiles(layout, vmId));
}

function signalProcess(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch {
    // It ended in the meantime, which is what was wanted.
  }
}
