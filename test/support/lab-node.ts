/**
 * One node of a lab: a machine made of namespaces (network, mounts, processes, host name, control groups) that
 * runs the compiled executable as a box does. Its faults are real for what they are: power loss is KILL to all
 * of it at once, a cut from the database drops its packets, a cut from the storage stops the file system that
 * its lease counters lie on (the homes stay reachable: this plays a file server that doesn't answer its writes).
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { chmod, chown, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { BoxIdentity } from "../../src/broker/relay/box-proof.ts";
import { PROCESS_ROLES, rolePasswordFile } from "../../src/db/url.ts";
import type { VmId } from "../../src/domain/ids.ts";
import { type Layout, layoutOf } from "../../src/domain/node/layout.ts";
import { isProcessRunning, listCgroupPids, type ProcessIdentity } from "../../src/lib/process.ts";
import { CLEAN_ENV, run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { readProcessFile } from "../../src/node/process-file.ts";
import { losePower, pinDisks } from "./power-loss.ts";

export type LabNodeOptions = {
  /** Of the lab; at most 4 letters, since the nodes' instances begin with it. */
  readonly lab: string;
  readonly folder: string;
  readonly number: number;
  /** First three bytes of the lab's network. */
  readonly network: string;
  readonly databaseUrl: string;
  readonly executable: string;
  readonly env: Readonly<Record<string, string>>;
};

const INIT = fileURLToPath(new URL("lab-node-init.sh", import.meta.url));
const GROUPS = "/sys/fs/cgroup/unified";
const DESKTOPS = "10.79.0.0/16";

export class LabNode {
  readonly name: string;
  readonly layout: Layout;
  readonly #options: LabNodeOptions;
  #counters: Bun.Subprocess | undefined;

  constructor(options: LabNodeOptions) {
    this.#options = options;
    this.name = `${options.lab}${options.number}`;
    this.layout = layoutOf(`${this.folder}/state`, `${this.folder}/run`, `${options.folder}/shared`);
  }

  get folder(): string {
    return `${this.#options.folder}/${this.name}`;
  }

  get group(): string {
    return `${GROUPS}/${this.#options.lab}/${this.name}`;
  }

  /** Name of its end of the cable, on the lab's switch. */
  get port(): string {
    return `${this.#options.lab}-n${this.#options.number}`;
  }

  /** The machine without power. With an `identity` it is of the same site as the others, as a box that has joined; else it makes one of its own. */
  async create(identity?: BoxIdentity): Promise<void> {
    const { executable } = this.#options;
    await mkdir(`${this.folder}/leases`, { recursive: true });
    await mkdir(`${this.layout.stateFolder}/bin`, { recursive: true });
    await chmod(this.folder, 0o755);
    await copyFile(executable, `${this.layout.stateFolder}/bin/qvd`);
    await chmod(`${this.layout.stateFolder}/bin/qvd`, 0o755);
    await mkdir(this.layout.secretsFolder, { recursive: true });
    if (identity !== undefined) await this.#identify(identity);
    for (const role of PROCESS_ROLES) {
      // The lab's database asks for none; each account may read its own.
      const file = rolePasswordFile(this.layout.secretsFolder, role);
      await writeFile(file, "none\n", { mode: 0o644 });
      await chown(file, 0, 0);
    }
    await writeFile(`${this.folder}/environment`, this.#environment());
  }

  /** Owners are set by the box itself at its start, as of what a joining writes. */
  async #identify({ authority, certificate, key }: BoxIdentity): Promise<void> {
    await writeFile(this.layout.caCertificate, authority, { mode: 0o644 });
    await writeFile(this.layout.tlsCertificate, certificate, { mode: 0o644 });
    await writeFile(this.layout.tlsKey, key, { mode: 0o600 });
  }

  /** Switches it on. */
  async start(): Promise<void> {
    const { folder, lab, network, number } = this.#options;
    await run(["rm", "-rf", "--one-file-system", "--", this.layout.runFolder, `${this.folder}/stop`]);
    await this.#startCounters();
    await this.#makeCable({ lab, number });
    await mkdir(this.group, { recursive: true });
    writeFileSync(`${this.group}/cgroup.freeze`, "0");
    const namespaces = ["--mount", "--uts", "--ipc", "--pid", "--fork", "--mount-proc"];
    const place = [
      this.name,
      folder,
      `${network}.${number}/24`,
      `${network}.254`,
      `${this.folder}/environment`,
      `${lab}/${this.name}`,
    ];
    Bun.spawn(
      [
        ...["setsid", "nsenter", `--net=/run/netns/${this.name}`],
        ...["unshare", ...namespaces, "--propagation", "private", "/bin/bash", INIT, "1", ...place],
      ],
      { env: CLEAN_ENV, cwd: "/", stdio: ["ignore", "ignore", Bun.file(`${folder}/${lab}.log`)] },
    ).unref();
    if (!(await waitFor(() => this.isOn, { timeoutMs: 30_000 })))
      throw new Error(`${this.name} did not start`);
  }

  /** Everything of it ends at once, as without power. */
  async powerOff(): Promise<void> {
    await this.#killCounters();
    const [pid] = listCgroupPids(this.group);
    const disks = pid === undefined ? [] : await pinDisks(pid, this.layout.vmsFolder);
    if (existsSync(this.group)) writeFileSync(`${this.group}/cgroup.kill`, "1");
    await losePower(disks);
    const isOff = () => listCgroupPids(this.group).length === 0;
    if (!(await waitFor(isOff, { timeoutMs: 15_000 }))) throw new Error(`${this.name} survives a power loss`);
    await this.#removeGroups();
    await this.#removeCable();
  }

  /** From its next start on it says that it is `name`, as a copy of that machine would. */
  async pretend(name: string): Promise<void> {
    const file = `${this.folder}/environment`;
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace(/^QVD_NODE_NAME=.*$/m, `QVD_NODE_NAME='${name}'`));
  }

  get isOn(): boolean {
    return listCgroupPids(this.group).length > 0;
  }

  /** SIGSTOP to all of it, desktops too: a machine that is paused. */
  freeze(isFrozen: boolean): void {
    writeFileSync(`${this.group}/cgroup.freeze`, isFrozen ? "1" : "0");
  }

  /** True when there was such a process. */
  signal(part: "node" | "keeper", signal: NodeJS.Signals): boolean {
    const identity = this.find(part);
    if (identity === undefined) return false;
    process.kill(identity.pid, signal);
    return true;
  }

  /** Of the part that runs now, by the host's pids. */
  find(part: "node" | "keeper"): ProcessIdentity | undefined {
    const wanted = part === "node" ? "qvd\0node\0run" : "qvd\0keeper\0run";
    for (const pid of listCgroupPids(this.group)) {
      const line = readText(`/proc/${pid}/cmdline`);
      if (!line.includes(wanted)) continue;
      const ticks = Number(readText(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ")[19]);
      const identity = { pid, startTicks: ticks };
      if (isProcessRunning(identity)) return identity;
    }
    return undefined;
  }

  /** Writes of its lease counters hang, and so do readings of the others'. */
  cutStorage(isCut: boolean): void {
    this.#counters?.kill(isCut ? "SIGSTOP" : "SIGCONT");
  }

  /** A process inside the desktop, on the host, or the QEMU of a machine; undefined when it doesn't run here. */
  desktopPid(vmId: VmId): number | undefined {
    const [container] = listCgroupPids(`${this.group}/${this.name}/c/${vmId}`);
    return container ?? listCgroupPids(`${this.group}/${this.name}/q/${vmId}`)[0];
  }

  async log(part = "node"): Promise<string> {
    const path = part === "node" ? `${this.folder}/node.log` : `${this.layout.logsFolder}/${part}.log`;
    return await readFile(path, "utf8").catch(() => "");
  }

  /** What its process file says, whoever lives. */
  workers() {
    return readProcessFile(this.layout.nodeProcessFile)?.workers ?? [];
  }

  async dispose(): Promise<void> {
    if (existsSync(this.group)) this.freeze(false);
    await this.powerOff();
    await run(["umount", "-l", `${this.folder}/leases`]);
  }

  #environment(): string {
    const { databaseUrl, network, number, env } = this.#options;
    const values: Record<string, string> = {
      ...CLEAN_ENV,
      QVD_CONFIG: "/dev/null",
      QVD_INSTANCE: this.name,
      QVD_NODE_NAME: this.name,
      QVD_NODE_ADDRESS: `${network}.${number}`,
      QVD_STATE: this.layout.stateFolder,
      QVD_RUN: this.layout.runFolder,
      QVD_SHARED: this.layout.sharedFolder,
      QVD_DATABASE_URL: databaseUrl,
      QVD_NETWORK_RANGE: DESKTOPS,
      QVD_BROKER_WORKERS: "1",
      QVD_PARALLEL_STARTS: "8",
      ...env,
    };
    return Object.entries(values)
      .map(([name, value]) => `${name}='${value}'\n`)
      .join("");
  }

  /** A new one for each start: bridges and filters of the last one went with the power. */
  async #makeCable(of: { readonly lab: string; readonly number: number }): Promise<void> {
    const ip = async (...words: string[]) => void (await runOk("making a cable", ["ip", ...words]));
    await ip("netns", "add", this.name);
    await ip("link", "add", this.port, "type", "veth", "peer", "name", "eth0", "netns", this.name);
    await ip("link", "set", this.port, "master", `${of.lab}br`, "up");
    const hardware = `02:71:76:64:00:0${of.number}`;
    await ip("netns", "exec", this.name, "ip", "link", "set", "eth0", "address", hardware);
  }

  async #removeCable(): Promise<void> {
    await run(["ip", "netns", "del", this.name]);
    await run(["ip", "link", "del", this.port]);
  }

  async #startCounters(): Promise<void> {
    const source = this.layout.leasesFolder;
    await mkdir(source, { recursive: true, mode: 0o700 });
    await run(["umount", "-l", `${this.folder}/leases`]);
    const fresh = "attr_timeout=0,entry_timeout=0,negative_timeout=0,direct_io";
    this.#counters = Bun.spawn(["bindfs", "-f", "-o", fresh, source, `${this.folder}/leases`], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    const isMounted = () => readText("/proc/self/mountinfo").includes(` ${this.folder}/leases `);
    if (!(await waitFor(isMounted, { timeoutMs: 20_000 }))) throw new Error("bindfs did not come up");
  }

  async #killCounters(): Promise<void> {
    this.#counters?.kill("SIGKILL");
    await this.#counters?.exited;
    this.#counters = undefined;
  }

  /** Groups of a machine without power are gone; here they are left empty in every hierarchy. */
  async #removeGroups(): Promise<void> {
    const wanted = [
      "-depth",
      "(",
      "-path",
      `*/${this.name}`,
      "-o",
      "-path",
      `*/${this.name}/*`,
      ")",
      "-type",
      "d",
    ];
    await run(["find", "/sys/fs/cgroup", ...wanted, "-exec", "rmdir", "{}", "+"]);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The process ended while we looked.
    return "";
  }
}
