/**
 * A whole box as a site runs it, for tests of its faults: the compiled executable, `qvd box run`, everything
 * set up by its own commands, on a disk of its own that can be filled. `countLeftovers` says what of it lies
 * about on the machine; `dispose` takes all of it away, whatever state it is in.
 */

import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { readBoxStatus } from "../../src/cli/box/status-file.ts";
import { type Database, openDatabase } from "../../src/db/client.ts";
import { DATABASE_NAME } from "../../src/db/url.ts";
import type { VmId } from "../../src/domain/ids.ts";
import { type Layout, layoutOf } from "../../src/domain/node/layout.ts";
import { type CgroupTree, listProcesses, openCgroupTree } from "../../src/hypervisor/lxc/cgroup-tree.ts";
import { findInit } from "../../src/hypervisor/lxc/find-init.ts";
import { removeInstance } from "../../src/hypervisor/lxc/remove-instance.ts";
import {
  isProcessRunning,
  listCgroupPids,
  type ProcessIdentity,
  readProcessIdentity,
} from "../../src/lib/process.ts";
import { CLEAN_ENV, type RunResult, run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { readProcessFile } from "../../src/node/process-file.ts";

export type WholeBoxOptions = {
  readonly instance: string;
  readonly cidr: string;
  /** QVD_START_TIMEOUT. */
  readonly startTimeoutSeconds: number;
  readonly diskMb: number;
  /** Below those that the kernel gives to connections: such a one could have them while the box is down. */
  readonly ports: { readonly broker: number; readonly admin: number };
};

/** Parts of the box and workers of its node, as their status files name them. */
export type PartName = "db" | "node" | "admin" | "keeper" | "auth" | `broker-${number}`;

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const READY_MS = 120_000;
const STOP_MS = 60_000;
const OTHER_RUN_MS = 300_000;

export class WholeBox {
  readonly options: WholeBoxOptions;
  readonly folder: string;
  readonly layout: Layout;
  readonly brokerPort: number;
  readonly adminPort: number;
  readonly tree: CgroupTree;
  /** As owner of the schema: for looking, never for setting up. */
  readonly database: Database;
  #box: Bun.Subprocess | undefined;

  /** Makes the disk and copies the executable to it; starts nothing. */
  static async create(options: WholeBoxOptions): Promise<WholeBox> {
    const box = new WholeBox(options, await openCgroupTree(options.instance));
    await box.#claim();
    await box.#remove();
    await writeFile(box.#owner, JSON.stringify(readProcessIdentity(process.pid)));
    await mkdir(box.folder, { recursive: true });
    await runOk("making a disk", ["truncate", "-s", `${options.diskMb}M`, box.#disk]);
    await runOk("making a file system", ["mkfs.ext4", "-q", "-F", "-m", "0", box.#disk]);
    await runOk("mounting the disk", ["mount", "-o", "loop", box.#disk, box.folder]);
    await chmod(box.folder, 0o755);
    await mkdir(`${box.folder}/home`);
    await mkdir(`${box.layout.stateFolder}/bin`, { recursive: true });
    await copyFile(await buildExecutable(), box.executable);
    await chmod(box.executable, 0o755);
    return box;
  }

  private constructor(options: WholeBoxOptions, tree: CgroupTree) {
    this.options = options;
    this.folder = `/var/tmp/qvd-${options.instance}`;
    this.layout = layoutOf(`${this.folder}/state`, `/run/qvd/${options.instance}`);
    this.brokerPort = options.ports.broker;
    this.adminPort = options.ports.admin;
    this.tree = tree;
    const folder = this.layout.databaseSocketFolder;
    const address = { kind: "socket", folder, role: "qvd_owner", database: DATABASE_NAME } as const;
    this.database = openDatabase(address, { max: 2 });
  }

  get executable(): string {
    return `${this.layout.stateFolder}/bin/qvd`;
  }

  get #disk(): string {
    return `${this.folder}.disk`;
  }

  /** Says which process's tests have the box. */
  get #owner(): string {
    return `${this.folder}.owner`;
  }

  env(): Record<string, string> {
    return {
      ...CLEAN_ENV,
      HOME: `${this.folder}/home`,
      QVD_CONFIG: "/dev/null",
      QVD_INSTANCE: this.options.instance,
      QVD_NODE_NAME: this.options.instance,
      QVD_STATE: this.layout.stateFolder,
      QVD_RUN: this.layout.runFolder,
      QVD_NETWORK_RANGE: this.options.cidr,
      QVD_BROKER_ADDRESS: "127.0.0.1",
      QVD_BROKER_PORT: String(this.brokerPort),
      QVD_BROKER_WORKERS: "2",
      QVD_ADMIN_ADDRESS: "127.0.0.1",
      QVD_ADMIN_PORT: String(this.adminPort),
      QVD_START_TIMEOUT: String(this.options.startTimeoutSeconds),
      QVD_API_URL: `https://127.0.0.1:${this.adminPort}`,
      QVD_API_CA: this.layout.caCertificate,
    };
  }

  /** Starts `qvd box run` and waits until it says that it is ready. */
  async start(): Promise<void> {
    const log = openSync(`${this.folder}/box.log`, "a");
    const command = [this.executable, "box", "run"];
    const stdio: ["ignore", number, number] = ["ignore", log, log];
    const box = Bun.spawn(command, { env: this.env(), cwd: "/", stdio });
    closeSync(log);
    this.#box = box;
    const isReady = () => {
      if (box.exitCode !== null)
        throw new Error(`qvd box run ended with ${box.exitCode}: ${this.log("box")}`);
      const status = readBoxStatus(this.layout);
      return status?.state === "ready" && status.box?.pid === box.pid;
    };
    if (!(await waitFor(isReady, { timeoutMs: READY_MS, everyMs: 50 })))
      throw new Error(`the box is not ready: ${this.log("box")}`);
  }

  /** SIGKILL to `qvd box run` alone. */
  async kill(): Promise<void> {
    this.#box?.kill("SIGKILL");
    await this.#box?.exited;
  }

  /** Ctrl-C. Returns the exit code. */
  async interrupt(): Promise<number> {
    const box = this.#box;
    if (box === undefined) return 0;
    box.kill("SIGINT");
    if (!(await waitFor(() => box.exitCode !== null, { timeoutMs: STOP_MS, everyMs: 50 })))
      throw new Error(`the box did not stop: ${this.log("box")}`);
    return box.exitCode ?? -1;
  }

  /** Runs `qvd …` as the box's owner would. */
  async qvd(words: readonly string[], stdin = ""): Promise<RunResult> {
    return await run([this.executable, ...words], { env: this.env(), timeoutMs: 120_000, stdin });
  }

  /** What `qvd …` printed; throws when it failed. */
  async qvdOk(...words: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.qvd(words);
    if (exitCode !== 0) throw new Error(`qvd ${words.join(" ")} ended with ${exitCode}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  /** The process that runs as this part now, if there is one. */
  find(name: PartName): ProcessIdentity | undefined {
    const status = readBoxStatus(this.layout)?.processes ?? [];
    const workers = readProcessFile(this.layout.nodeProcessFile)?.workers ?? [];
    const entry = [...status, ...workers].find((one) => one.name === name);
    return entry !== undefined && isProcessRunning(entry) ? entry : undefined;
  }

  /** SIGKILL to a part; returns its successor once there is one. */
  async killPart(name: PartName, timeoutMs = 60_000): Promise<ProcessIdentity> {
    const before = this.find(name);
    if (before === undefined) throw new Error(`${name} does not run: ${this.log(name)}`);
    process.kill(before.pid, "SIGKILL");
    const after = await waitFor(
      () => {
        const found = this.find(name);
        return found !== undefined && found.pid !== before.pid && found;
      },
      { timeoutMs },
    );
    if (after === undefined) throw new Error(`${name} did not come back: ${this.log(name)}`);
    return after;
  }

  /** First process of a desktop, on the host. */
  init(vmId: VmId): Promise<number | undefined> {
    return findInit(this.tree, vmId);
  }

  /** Pids on the host of a desktop's processes whose command line begins so, in order of pid. */
  async findInside(vmId: VmId, beginning: string): Promise<readonly number[]> {
    const pids = await listProcesses(this.tree, "container", vmId);
    return (await findByCommand(pids, (line) => line.startsWith(beginning))).toSorted((a, b) => a - b);
  }

  /** LXC's own process that watches a desktop. */
  async monitors(vmId: VmId): Promise<readonly number[]> {
    return await listProcesses(this.tree, "monitor", vmId);
  }

  log(part: string): string {
    const own = part === "box" ? `${this.folder}/box.log` : `${this.layout.logsFolder}/${part}.log`;
    return existsSync(own) ? readFileSync(own, "utf8").split("\n").slice(-25).join("\n") : "";
  }

  /** Everything on this machine that belongs to the box and is no data: what a stopped box must not leave. */
  async countLeftovers(): Promise<readonly string[]> {
    const { instance } = this.options;
    const names = await readdir("/sys/class/net");
    const interfaces = names.filter((name) => name === `${instance}br0` || name.startsWith(`${instance}-`));
    const groups = this.tree.roots.filter((root) => existsSync(`${root}/${instance}`));
    const tables = (await run(["/usr/sbin/nft", "list", "tables"])).stdout.split("\n");
    const all = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
    const processes = [
      ...(await findByCommand(all, (line) => line.includes(`${this.folder}/`))),
      ...(await findByCommand(all, (line) => line.includes(this.layout.runFolder))),
    ];
    const vms = await readdir(this.layout.vmsFolder).catch((): string[] => []);
    return [
      ...(await this.#listMounts()).map((mount) => `mount ${mount}`),
      ...interfaces.map((name) => `interface ${name}`),
      ...groups.map((root) => `control groups in ${root}`),
      ...tables.filter((line) => line.split(" ")[2] === instance),
      ...processes.map((pid) => `process ${pid}`),
      ...vms.map((name) => `folder of desktop ${name}`),
    ];
  }

  /** Ends everything, with force where it must, and removes it. */
  async dispose(): Promise<void> {
    await this.database.close();
    if (this.#box?.exitCode === null) await this.interrupt().catch(() => this.kill()); // `#remove` does the rest.
    await this.#remove();
  }

  /** What a killed run left is taken away; a run that goes on in another process is waited for. */
  async #claim(): Promise<void> {
    const isFree = () => {
      const owner = existsSync(this.#owner) ? JSON.parse(readFileSync(this.#owner, "utf8")) : undefined;
      return owner === undefined || owner.pid === process.pid || !isProcessRunning(owner);
    };
    if (!(await waitFor(isFree, { timeoutMs: OTHER_RUN_MS, everyMs: 500 })))
      throw new Error(`another run of these tests has ${this.folder}`);
  }

  async #remove(): Promise<void> {
    const { instance } = this.options;
    const group = `${this.tree.unified}/${instance}`;
    const status = readBoxStatus(this.layout)?.box;
    if (status && isProcessRunning(status)) process.kill(status.pid, "SIGKILL");
    if (existsSync(group)) await writeFile(`${group}/cgroup.kill`, "1\n");
    await waitFor(() => listCgroupPids(group).length === 0, { timeoutMs: 60_000 });
    for (const name of (await readdir("/sys/class/net")).filter(
      (name) => name === `${instance}br0` || name.startsWith(`${instance}-`),
    ))
      await run(["/usr/sbin/ip", "link", "delete", name]);
    for (const line of (await run(["/usr/sbin/nft", "list", "tables"])).stdout.split("\n")) {
      const [, family = "", name] = line.split(" ");
      if (name === instance) await run(["/usr/sbin/nft", "delete", "table", family, name]);
    }
    for (const mount of (await this.#listMounts()).toReversed()) await run(["umount", "-l", mount]);
    await run(["umount", this.folder]);
    await removeInstance(instance);
    for (const path of [this.folder, this.#disk, this.layout.runFolder, this.#owner])
      await rm(path, { recursive: true, force: true });
  }

  /** Mounts below the box's folder, its disk aside. */
  async #listMounts(): Promise<readonly string[]> {
    return (await readFile("/proc/self/mountinfo", "utf8"))
      .split("\n")
      .map((line) => line.split(" ")[4] ?? "")
      .filter((path) => path.startsWith(`${this.folder}/`) || path.startsWith(`${this.layout.runFolder}/`));
  }
}

async function findByCommand(
  pids: readonly number[],
  isWanted: (line: string) => boolean,
): Promise<readonly number[]> {
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return pids.filter((_, index) => isWanted(lines[index]?.replaceAll("\0", " ") ?? ""));
}

/** Built anew, from the sources under test. */
async function buildExecutable(): Promise<string> {
  const build = [process.execPath, "run", "build.ts"];
  await runOk("building the executable", build, { cwd: ROOT, timeoutMs: 120_000 });
  return `${ROOT}/dist/qvd`;
}
