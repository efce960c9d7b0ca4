/**
 * A whole box for system tests: a node process that can be killed, over real containers, network, storage and
 * database, under an instance of the test's own. `count` says what of it lies about on the machine.
 */

import { chmod, cp, mkdir, mkdtemp, readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { DiId, VmId } from "../../src/domain/ids.ts";
import { type Layout, layoutOf } from "../../src/domain/node/layout.ts";
import { parseNetworkRange } from "../../src/domain/node/network-range.ts";
import type { VmLimits } from "../../src/domain/vm/facts.ts";
import {
  type CgroupTree,
  listGroups,
  listProcesses,
  openCgroupTree,
} from "../../src/hypervisor/lxc/cgroup-tree.ts";
import { findInit } from "../../src/hypervisor/lxc/find-init.ts";
import { createLxcHypervisor } from "../../src/hypervisor/lxc/lxc-hypervisor.ts";
import { removeInstance } from "../../src/hypervisor/lxc/remove-instance.ts";
import { silentLog } from "../../src/lib/log.ts";
import {
  endProcess,
  isProcessRunning,
  type ProcessIdentity,
  readProcessIdentity,
  spawnDetached,
} from "../../src/lib/process.ts";
import { run } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createNetwork } from "../../src/network/network.ts";
import { readProcessFile } from "../../src/node/process-file.ts";
import type { WorkerSpec } from "../../src/node/supervise.ts";
import { createStorage } from "../../src/storage/storage.ts";
import { connectWake, type WakeClient } from "../../src/wire/wake/client.ts";
import type { WakeTopic } from "../../src/wire/wake/messages.ts";
import { claimLab, releaseLab, SHORT_CLAIM_MS } from "./claim-lab.ts";
import { NodeDatabase } from "./node-database.ts";
import type { NodeProcessOptions } from "./node-process.ts";

export type LabOptions = {
  readonly instance: string;
  /** First three bytes of the desktops' addresses. */
  readonly network: string;
  readonly archive: string;
  readonly agentExecutable: string;
  readonly limits?: Partial<VmLimits>;
  readonly workers?: readonly WorkerSpec[];
};

const ID_FIRST = 1_000_000;

export class NodeLab {
  readonly options: LabOptions;
  readonly rows: NodeDatabase;
  readonly layout: Layout;
  readonly tree: CgroupTree;
  readonly folder: string;
  #node: ProcessIdentity | undefined;
  #wake: WakeClient | undefined;

  static async create(options: LabOptions): Promise<NodeLab> {
    await claimLab(options.instance, SHORT_CLAIM_MS);
    const folder = await mkdtemp(`/var/tmp/qvd-${options.instance}-`);
    await chmod(folder, 0o755);
    const layout = layoutOf(`${folder}/state`, `${folder}/run`);
    for (const path of [layout.incomingFolder, layout.logsFolder, `${layout.runFolder}/wake`])
      await mkdir(path, { recursive: true });
    const rows = await NodeDatabase.create(options.network);
    const lab = new NodeLab(options, { rows, layout, folder, tree: await openCgroupTree(options.instance) });
    await lab.layImage(rows.diId, options.archive);
    return lab;
  }

  private constructor(
    options: LabOptions,
    parts: { rows: NodeDatabase; layout: Layout; folder: string; tree: CgroupTree },
  ) {
    this.options = options;
    this.rows = parts.rows;
    this.layout = parts.layout;
    this.folder = parts.folder;
    this.tree = parts.tree;
    this.rows.onChange = (vmId) => this.#wake?.wake("vm", vmId);
  }

  /** As if the node had taken it in. */
  async layImage(diId: DiId, archive: string): Promise<void> {
    await cp(archive, `${this.layout.imagesFolder}/${diId}-desk.tar`);
  }

  get node(): ProcessIdentity | undefined {
    return this.#node;
  }

  /** Starts a node process and waits until it is ready for wakes. */
  async startNode(): Promise<void> {
    const { instance, network, agentExecutable, workers = [], limits = {} } = this.options;
    const options: NodeProcessOptions = {
      ...{ instance, agentExecutable, workers, limits },
      stateFolder: this.layout.stateFolder,
      runFolder: this.layout.runFolder,
      cidr: `${network}.0/24`,
      idRangeFirst: ID_FIRST,
      database: this.rows.database.address("qvd_node"),
    };
    const program = fileURLToPath(new URL("node-process.ts", import.meta.url));
    this.#node = spawnDetached({
      command: [process.execPath, program, JSON.stringify(options)],
      logFile: `${this.layout.logsFolder}/node.log`,
    });
    this.#wake ??= connectWake({ path: this.layout.wakeSocket, onWake: () => {}, log: silentLog() });
    const [wake, node] = [this.#wake, this.#node];
    const isDecided = () => wake.isConnected() || !isProcessRunning(node);
    if (!(await waitFor(isDecided, { timeoutMs: 30_000 })) || !wake.isConnected())
      throw new Error(`the node did not come up: ${await this.log()}`);
  }

  async signalNode(signal: "SIGKILL" | "SIGTERM" | "SIGINT", timeoutMs = 30_000): Promise<void> {
    const node = this.#node;
    if (node === undefined) return;
    process.kill(node.pid, signal);
    const isGone = await waitFor(() => readProcessIdentity(node.pid)?.startTicks !== node.startTicks, {
      timeoutMs,
    });
    if (!isGone) throw new Error(`the node did not end at ${signal}: ${await this.log()}`);
    this.#node = undefined;
    const wake = this.#wake;
    await waitFor(() => wake?.isConnected() !== true, { timeoutMs: 15_000 });
  }

  /** As a process of the box that has changed something says it. */
  wakeFor(topic: WakeTopic): void {
    this.#wake?.wake(topic);
  }

  log(): Promise<string> {
    return readFile(`${this.layout.logsFolder}/node.log`, "utf8");
  }

  init(vmId: VmId): Promise<number | undefined> {
    return findInit(this.tree, vmId);
  }

  /** Pids on the host of a desktop's processes whose command line has this in it. */
  async findPids(vmId: VmId, text: string): Promise<readonly number[]> {
    const pids = await listProcesses(this.tree, "container", vmId);
    const lines = await Promise.all(
      pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
    );
    return pids.filter((_, index) => lines[index]?.replaceAll("\0", " ").includes(text));
  }

  /** Everything on this machine that carries the instance's name or lies in its folders, but homes and bases. */
  async count(): Promise<readonly string[]> {
    const { instance } = this.options;
    const mounts = (await readFile("/proc/self/mountinfo", "utf8"))
      .split("\n")
      .filter((line) => line.includes(this.folder));
    const interfaces = (await readdir("/sys/class/net")).filter((name) => name.startsWith(`${instance}-`));
    const groups = [...(await listGroups(this.tree)).values()].flat();
    const folders = await readdir(this.layout.vmsFolder).catch((): string[] => []);
    const elements = (await run(["/usr/sbin/nft", "list", "table", "bridge", instance])).stdout.match(
      new RegExp(`${instance}-\\d+`, "g"),
    );
    return [
      ...mounts,
      ...interfaces,
      ...groups,
      ...folders.map((name) => `folder ${name}`),
      ...(elements ?? []),
    ];
  }

  async dispose(): Promise<void> {
    this.#wake?.close();
    if (this.#node !== undefined) await endProcess(this.#node, 5_000);
    for (const worker of readProcessFile(this.layout.nodeProcessFile)?.workers ?? [])
      await endProcess(worker, 0);
    const { instance, network } = this.options;
    const log = silentLog();
    const hypervisor = await createLxcHypervisor({ instance, layout: this.layout, resolvers: [] });
    const storage = createStorage({ layout: this.layout, idRangeFirst: ID_FIRST, log, reserveBytes: 0 });
    for (const vmId of (await hypervisor.observe()).keys()) {
      await hypervisor.kill(vmId);
      const isDead = async () => (await hypervisor.observe()).get(vmId)?.isAlive !== true;
      await waitFor(isDead, { timeoutMs: 30_000 });
      await hypervisor.cleanUp(vmId);
    }
    for (const vmId of (await storage.listMounted()).keys()) await storage.unmountDesktop(vmId);
    await createNetwork({
      instance,
      range: parseNetworkRange(`${network}.0/24`),
      resolvers: [],
      log,
    }).remove();
    await removeInstance(instance);
    await this.rows.database.drop();
    await run(["/usr/bin/rm", "-rf", "--one-file-system", "--", this.folder], { timeoutMs: 60_000 });
    releaseLab(instance);
  }
}
