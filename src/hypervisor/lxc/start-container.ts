/** Runs lxc-start for one desktop and proves that what was asked for is in force. */

import { existsSync, mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { VmId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { run } from "../../lib/run.ts";
import { waitFor } from "../../lib/wait.ts";
import type { ContainerSpec } from "../driver.ts";
import { type CgroupTree, groupFolder, limitSubgroups, removeGroup } from "./cgroup-tree.ts";
import { containerFiles, writeFiles } from "./container-files.ts";
import { endStandingBack, standBack } from "./cpu-share.ts";
import { detectInit } from "./detect-init.ts";
import { limitSwap } from "./limit-swap.ts";
import type { LxcContext } from "./lxc-hypervisor.ts";
import { readMemoryLimit } from "./read-limits.ts";
import { renderConfig } from "./render-config.ts";
import { systemdFiles } from "./systemd-files.ts";

const SECCOMP_PROFILE = "/usr/share/lxc/config/common.seccomp";
const START_TIMEOUT_MS = 30_000;
const LEAVE_TIMEOUT_MS = 2_000;
/** A start takes a fifth of it where the processors have time. */
const STANDS_BACK_MS = 5_000;
/** A desktop needs none; programs that sort their own processes into groups make a handful. */
const MOST_SUBGROUPS = 128;

/**
 * Without newuidmap and newgidmap, which LXC asks where it finds them: four programs more for each start. As
 * root it writes the same maps itself, as we do (`user-namespace.ts`); the container sees nothing of this.
 */
const PATH_OF_LXC = "/usr/sbin:/sbin";

/** Whoever enters the group this way is in it before it does anything else. */
const ENTER_GROUP = 'echo 0 >"$1/cgroup.procs" && shift && exec "$@"';

export async function startContainer(
  context: LxcContext,
  spec: ContainerSpec,
  signal: AbortSignal,
): Promise<void> {
  const { instance, layout, resolvers, searchDomain = "", tree } = context;
  const { vmId } = spec;
  signal.throwIfAborted();
  checkHost();
  const files = containerFiles(layout, vmId);
  const isSystemd = detectInit(spec.rootFolder) === "systemd";
  const systemd = isSystemd ? systemdFiles({ hostName: spec.hostName, resolvers, searchDomain }) : [];
  const config = renderConfig(spec, {
    instance,
    resolvers,
    searchDomain,
    initFile: files.init,
    systemd: systemd.map(({ name, target }) => ({ source: `${files.systemd}/${name}`, target })),
    seccompProfile: SECCOMP_PROFILE,
  });
  writeFiles(files, config, systemd);
  const starter = groupFolder(tree, "starter", vmId);
  mkdirSync(starter, { recursive: true });
  const lxcStart = ["/usr/bin/lxc-start", "-P", layout.vmsFolder, "-n", `${vmId}`, "-f", files.config];
  // Not ended by the signal: half a start is harder to take apart than a whole one, and it takes 30 ms.
  const result = await run(
    [...["/bin/sh", "-c", ENTER_GROUP, "sh", starter], ...lxcStart, ...["-o", files.log, "-l", "WARN", "-d"]],
    { timeoutMs: START_TIMEOUT_MS, env: { PATH: PATH_OF_LXC } },
  );
  if (result.exitCode !== 0) throw await explain(spec, files.log, result.stderr);
  const done = await Promise.allSettled([
    spec.standsBack === false ? undefined : standBackFor(tree, vmId, STANDS_BACK_MS),
    leaveStarter(starter, vmId),
    limitSubgroups(tree, vmId, MOST_SUBGROUPS),
    limitSwap(tree, vmId, spec.memoryMb),
    checkLimits(context, spec),
  ]);
  // All have ended by now: what is cleared after a failure must not be touched meanwhile.
  for (const one of done) if (one.status === "rejected") throw one.reason;
  signal.throwIfAborted();
}

/** On a busy host the kernel calls the group busy for some milliseconds after its last process has ended. */
async function leaveStarter(folder: string, vmId: VmId): Promise<void> {
  if (await waitFor(() => removeGroup(folder), { timeoutMs: LEAVE_TIMEOUT_MS, everyMs: 2 })) return;
  throw new AppError("driver-failed", `Starting desktop ${vmId}: a process of LXC's start does not end`);
}

async function standBackFor(tree: CgroupTree, vmId: VmId, ms: number): Promise<void> {
  await standBack(tree, vmId);
  // Should the share be refused then, the start takes longer; its own deadline bounds it.
  setTimeout(() => void endStandingBack(tree, vmId).catch(() => {}), ms).unref();
}

function checkHost(): void {
  if (existsSync(SECCOMP_PROFILE)) return;
  throw new AppError(
    "driver-failed",
    `Starting a desktop: ${SECCOMP_PROFILE} is missing. Install the package lxc.`,
  );
}

async function explain(spec: ContainerSpec, logFile: string, said: string): Promise<AppError> {
  const log = await readFile(logFile, "utf8").catch(() => "");
  const why = (summariseLog(log) || said.trim() || "it gave no reason").slice(0, 600);
  return new AppError(
    "driver-failed",
    `Starting desktop ${spec.vmId}: LXC refused: ${why}. All of it is in ${logFile}.`,
  );
}

/** The first errors of LXC's log, without its prefixes: it says the cause first and its consequences after. */
export function summariseLog(log: string): string {
  return log
    .split("\n")
    .filter((line) => line.includes(" ERROR "))
    .map((line) => line.replace(/^.*? ERROR\s+/, "").replace(/^\S+ - \S+:\S+:\d+ - /, ""))
    .slice(0, 3)
    .join("; ");
}

/** LXC ignores limits for which the host has no controller; a desktop without them could take the whole box. */
async function checkLimits(context: LxcContext, spec: ContainerSpec): Promise<void> {
  const limit = await readMemoryLimit(context.tree, spec.vmId);
  if (limit !== spec.memoryMb * 2 ** 20)
    throw new AppError(
      "driver-failed",
      `Starting desktop ${spec.vmId}: its memory limit of ${spec.memoryMb} MB is not in force. Is the kernel's memory controller enabled (cgroup_enable=memory)?`,
    );
}
