/**
 * A private LXD of Debian's package, as a peer: a daemon below a folder of its own, an image of the same base
 * tree, and containers with the same limits whose init is the script that the start by hand uses. They share the
 * image's blocks on btrfs in a file, so that fifty of them don't fill the disk; creating containers isn't timed.
 */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { CLEAN_ENV, run, runOk } from "../src/lib/run.ts";
import { waitFor } from "../src/lib/wait.ts";

export type LxdOptions = {
  /** The daemon, its storage and its containers lie below; removed at the end. */
  readonly folder: string;
  /** Unpacked image; only read. */
  readonly base: string;
  readonly init: string;
  /** Bridge that exists; its containers get interfaces in it. */
  readonly bridge: string;
  readonly memoryMb: number;
  readonly cpus: number;
  readonly containers: number;
};

export type Lxd = {
  /** Starts the first `count` containers and waits until `isReady` of each one's log. */
  start(count: number, isReady: (log: string) => boolean): Promise<void>;
  stop(count: number): Promise<void>;
  close(): Promise<void>;
};

const READY_MS = 120_000;
/** Written blocks alone take room: the image, and what each start writes. */
const POOL_GB = 20;
const MANY_MS = 600_000;

export async function openLxd(options: LxdOptions): Promise<Lxd> {
  const { folder } = options;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  const env = { ...CLEAN_ENV, HOME: folder, LXD_DIR: `${folder}/lxd` };
  mkdirSync(env.LXD_DIR, { mode: 0o711 });
  const daemon = Bun.spawn(["lxd", "--group", "root"], { env, stdio: ["ignore", "ignore", "ignore"] });
  const lxc = async (...words: string[]) =>
    await runOk(`lxc ${words[0]}`, ["/usr/bin/lxc", ...words], { env, timeoutMs: MANY_MS });
  const close = async () => {
    await run(["/usr/bin/lxc", "stop", "--all", "--force"], { env, timeoutMs: READY_MS });
    await run(["/usr/bin/lxd", "shutdown", "--timeout", "30"], { env, timeoutMs: READY_MS });
    daemon.kill("SIGTERM");
    await waitFor(() => daemon.exitCode !== null, { timeoutMs: 30_000 });
    for (const mount of listMounts(folder)) await run(["umount", "-l", mount]);
    rmSync(folder, { recursive: true, force: true });
  };
  const logOf = (name: string) =>
    `${env.LXD_DIR}/storage-pools/bench/containers/${name}/rootfs/run/nxagent.log`;
  const readLog = (name: string) => (existsSync(logOf(name)) ? readFileSync(logOf(name), "utf8") : "");
  const waitForSessions = async (chosen: readonly string[], isReady: (log: string) => boolean) => {
    const isThere = (name: string) => isReady(readLog(name));
    const areThere = await waitFor(() => chosen.every(isThere), { timeoutMs: READY_MS, everyMs: 2 });
    if (areThere) return;
    const late = chosen.filter((name) => !isThere(name));
    const said = late.map((name) => `${name}: ${readLog(name).slice(-500) || "nothing"}`).join("\n");
    throw new Error(`not ready in LXD after ${READY_MS / 1000} s; their sessions said\n${said}`);
  };
  try {
    const isUp = async () => (await run(["/usr/bin/lxc", "info"], { env })).exitCode === 0;
    if (!(await waitFor(isUp, { timeoutMs: READY_MS, everyMs: 200 }))) throw new Error("lxd did not start");
    await lxc("storage", "create", "bench", "btrfs", `size=${POOL_GB}GiB`);
    await importImage(options, lxc);
    for (const name of names(options.containers)) {
      await createContainer(options, name, lxc);
      // Its first start moves the image's files to the container's ids; fifty of these at once fail now and then.
      await lxc("start", name);
      // One killed while it makes its user leaves that user's files locked for good.
      await waitForSessions([name], (log) => log !== "");
      await lxc("stop", "--force", name);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async start(count, isReady) {
      const chosen = names(count);
      for (const name of chosen) rmSync(logOf(name), { force: true });
      const started = lxc("start", ...chosen);
      // It is waited for below, after those who may be ready before it has ended.
      started.catch(() => {});
      await waitForSessions(chosen, isReady);
      await started;
    },
    stop: async (count) => void (await lxc("stop", "--force", ...names(count))),
    close,
  };
}

type Lxc = (...words: string[]) => Promise<unknown>;

async function importImage({ folder, base, init }: LxdOptions, lxc: Lxc): Promise<void> {
  const parts = `${folder}/image`;
  mkdirSync(`${parts}/sbin`, { recursive: true });
  writeFileSync(
    `${parts}/metadata.yaml`,
    "architecture: x86_64\ncreation_date: 1\nproperties: {description: bench}\n",
  );
  writeFileSync(`${parts}/sbin/bench-init`, init, { mode: 0o755 });
  const slow = { timeoutMs: MANY_MS };
  await runOk("packing metadata", ["tar", "-C", parts, "-cf", `${parts}/meta.tar`, "metadata.yaml"], slow);
  const tree = [
    "-C",
    base,
    "--exclude=./dev/*",
    ".",
    "-C",
    parts,
    "--transform=s,^sbin/,usr/sbin/,",
    "sbin/bench-init",
  ];
  await runOk("packing the image", ["tar", "--numeric-owner", "-cf", `${parts}/root.tar`, ...tree], slow);
  await lxc("image", "import", `${parts}/meta.tar`, `${parts}/root.tar`, "--alias", "bench");
}

async function createContainer(options: LxdOptions, name: string, lxc: Lxc): Promise<void> {
  await lxc(
    ...["init", "bench", name, "--storage", "bench", "--no-profiles"],
    ...[
      "-c",
      `limits.memory=${options.memoryMb}MiB`,
      "-c",
      `limits.cpu.allowance=${options.cpus * 100}ms/100ms`,
    ],
    ...["-c", "raw.lxc=lxc.init.cmd = /usr/sbin/bench-init"],
  );
  const nic = ["nic", "nictype=bridged", `parent=${options.bridge}`, "name=eth0"];
  await lxc("config", "device", "add", name, "eth0", ...nic);
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `b${String(index + 1).padStart(2, "0")}`);
}

/** Deepest first. */
function listMounts(folder: string): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((mount) => mount.startsWith(`${folder}/`))
    .reverse();
}
