/**
 * A desktop as LXC reads it. Keys for both layouts of control groups stand side by side: LXC ignores those of
 * the layout that the host doesn't have, and refuses to start where one of the host's layout can't be set.
 */

import { broadcastOf } from "../../domain/node/network-range.ts";
import { AppError } from "../../lib/errors.ts";
import type { ContainerSpec } from "../driver.ts";
import { STARTING_SHARE } from "./cpu-share.ts";
import { MASKED_UNITS, SYSTEMD_INIT } from "./systemd-files.ts";

export type ConfigOptions = {
  readonly instance: string;
  readonly initFile: string;
  /** What is bound where for a systemd of the image's; empty makes our script the init. */
  readonly systemd: readonly { readonly source: string; readonly target: string }[];
  /** Name servers for the desktop. */
  readonly resolvers: readonly string[];
  /** Domain that the desktop looks short names up in; empty for none. */
  readonly searchDomain: string;
  readonly seccompProfile: string;
};

/** Threads count too, and a browser has hundreds of them. */
const MOST_PROCESSES = 4096;
const CPU_PERIOD_US = 100_000;

const DROPPED_CAPABILITIES =
  "mac_admin mac_override sys_time sys_module sys_rawio sys_boot sys_nice sys_pacct sys_tty_config syslog wake_alarm block_suspend audit_control audit_read";

/** What init, agent and session write at each start: in memory, where a file costs a start next to nothing. Scripts run from it. */
export const AGENT_FOLDER = "tmpfs run/qvd-guest tmpfs rw,nosuid,nodev,size=16m,mode=755,create=dir 0 0";

/** `bad-input` for a value that would be read as something else than itself. */
export function renderConfig(spec: ContainerSpec, options: ConfigOptions): string {
  const { idRange, port, vmId } = spec;
  const { instance } = options;
  const isSystemd = options.systemd.length > 0;
  const quota = Math.round(spec.cpus * CPU_PERIOD_US);
  // Full temporary file systems must not be able to end the desktop: together they stay below its memory.
  const temporaryMb = Math.max(8, Math.floor(spec.memoryMb / 4));
  const lines = [
    ["uts.name", spec.hostName],
    ["rootfs.path", `dir:${checkPath(spec.rootFolder)}`],
    ["idmap", `u 0 ${idRange.first} ${idRange.count}`],
    ["idmap", `g 0 ${idRange.first} ${idRange.count}`],
    ["init.cmd", isSystemd ? SYSTEMD_INIT : "/bin/sh /opt/qvd/init"],
    ["environment", `QVD_HOST_NAME=${spec.hostName}`],
    ["environment", `QVD_RESOLVERS=${options.resolvers.join(" ")}`],
    ["environment", `QVD_SEARCH_DOMAIN=${options.searchDomain}`],
    ["autodev", "1"],
    ["tty.max", "0"],
    ["pty.max", "256"],
    ["console.path", "none"],
    ["mount.auto", "proc:mixed sys:mixed cgroup:mixed"],
    ["mount.entry", temporary("dev/shm", temporaryMb)],
    ["mount.entry", temporary("tmp", temporaryMb)],
    ["mount.entry", isSystemd ? volatile(temporaryMb) : AGENT_FOLDER],
    // What a person shares with their desktop is mounted by FUSE, as the person.
    ["mount.entry", bind("/dev/fuse", "dev/fuse", "rw,bind,nosuid,noexec,optional,create=file")],
    ["mount.entry", bind(spec.homeFolder, "home", "rw,bind,nosuid,nodev,create=dir")],
    ["mount.entry", bind(spec.channelFolder, "run/qvd", "ro,bind,nosuid,nodev,noexec,create=dir")],
    ["mount.entry", bind(spec.agentExecutable, "opt/qvd/qvd", "ro,bind,nosuid,nodev,create=file")],
    ["mount.entry", bind(options.initFile, "opt/qvd/init", "ro,bind,nosuid,nodev,create=file")],
    ...systemdEntries(options).map((entry) => ["mount.entry", entry] as const),
    ...(spec.binds ?? []).map(
      ({ source, path }) =>
        ["mount.entry", bind(source, checkPath(path).slice(1), "rw,bind,nosuid,nodev,create=dir")] as const,
    ),
    ["net.0.type", "veth"],
    ["net.0.link", port.bridge],
    ["net.0.flags", "up"],
    ["net.0.name", "eth0"],
    ["net.0.hwaddr", port.mac],
    ["net.0.veth.pair", port.interfaceName],
    // LXC's own guess of the broadcast address leaves the network out (0.0.255.255).
    ["net.0.ipv4.address", `${port.address}/${port.prefixLength} ${broadcastOf(port)}`],
    ["net.0.ipv4.gateway", port.gateway],
    ["cap.drop", DROPPED_CAPABILITIES],
    ["seccomp.profile", options.seccompProfile],
    ["apparmor.profile", "unconfined"],
    ["prlimit.core", "0"],
    ["signal.halt", isSystemd ? "SIGRTMIN+3" : "SIGTERM"],
    ["cgroup.dir.monitor", `${instance}/m/${vmId}`],
    ["cgroup.dir.container", `${instance}/c/${vmId}`],
    ["cgroup.dir.monitor.pivot", `${instance}/pivot`],
    ["cgroup.memory.limit_in_bytes", `${spec.memoryMb}M`],
    ["cgroup.cpu.shares", `${STARTING_SHARE["cpu.shares"]}`],
    ["cgroup.cpu.cfs_period_us", `${CPU_PERIOD_US}`],
    ["cgroup.cpu.cfs_quota_us", `${quota}`],
    ["cgroup.pids.max", `${MOST_PROCESSES}`],
    ["cgroup2.memory.max", `${spec.memoryMb}M`],
    ["cgroup2.cpu.weight", `${STARTING_SHARE["cpu.weight"]}`],
    ["cgroup2.cpu.max", `${quota} ${CPU_PERIOD_US}`],
    ["cgroup2.pids.max", `${MOST_PROCESSES}`],
  ] as const;
  return lines.map(([key, value]) => `lxc.${key} = ${checkValue(value)}\n`).join("");
}

/** Systemd would mount one of its own over what is bound below /run, if it didn't find one. */
function volatile(temporaryMb: number): string {
  return `tmpfs run tmpfs rw,nosuid,nodev,size=${Math.ceil(temporaryMb / 2)}m,mode=755,create=dir 0 0`;
}

function systemdEntries({ systemd }: ConfigOptions): readonly string[] {
  if (systemd.length === 0) return [];
  return [
    ...systemd.map(({ source, target }) => bind(source, target, "ro,bind,nosuid,nodev,create=file")),
    ...MASKED_UNITS.map((target) => bind("/dev/null", target, "ro,bind,nosuid,create=file")),
  ];
}

function temporary(target: string, sizeMb: number): string {
  return `tmpfs ${target} tmpfs rw,nosuid,nodev,size=${sizeMb}m,mode=1777,create=dir 0 0`;
}

function bind(source: string, target: string, options: string): string {
  return `${checkPath(source)} ${target} none ${options} 0 0`;
}

/** Mount entries are split at blanks, and LXC's file knows no quotes. */
function checkPath(path: string): string {
  if (!/^\/[^\s\\"'#]+$/.test(path))
    throw new AppError(
      "bad-input",
      `Writing the container's configuration: the path ${JSON.stringify(path)} has blanks, quotes or backslashes, or is not absolute. Choose another QVD_STATE.`,
    );
  return path;
}

/** A line break would begin another key. */
function checkValue(value: string): string {
  if (/[\r\n\0]/.test(value))
    throw new AppError(
      "bad-input",
      `Writing the container's configuration: ${JSON.stringify(value)} has a line break`,
    );
  return value;
}
