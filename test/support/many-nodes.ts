/**
 * Several nodes on this machine, each in namespaces of its own, with one database and one shared folder: real
 * containers, the compiled executable, and faults at will. Everything carries the lab's name and is removed by
 * `dispose`, also what an earlier run left.
 */

import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, readdir, rm } from "node:fs/promises";
import { sql } from "drizzle-orm";
import type { Database } from "../../src/db/client.ts";
import type { VmId } from "../../src/domain/ids.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import type { Witness } from "../fault/check-beats.ts";
import { ACKNOWLEDGED_FILE, BEATS_FILE, packBeatingDesktop } from "./beating-desktop.ts";
import { createBoxIdentities } from "./box-identities.ts";
import { claimLab, releaseLab } from "./claim-lab.ts";
import { LabDatabase } from "./lab-database.ts";
import { addLabDesktops, type LabDesktops } from "./lab-desktops.ts";
import { BEATS_PORT, LabMachines } from "./lab-machines.ts";
import { LabNode } from "./lab-node.ts";

export type ManyNodesOptions = {
  /** At most 4 letters. */
  readonly lab: string;
  /** First three bytes of the lab's network. */
  readonly network: string;
  readonly nodes: number;
  readonly executable: string;
  /** Settings of every node, such as QVD_LEASE. */
  readonly env?: Readonly<Record<string, string>>;
};

const HOME_MB = 24;
const READY_MS = 30_000;

export class ManyNodes {
  readonly options: ManyNodesOptions;
  readonly nodes: readonly LabNode[];
  readonly server: LabDatabase;
  readonly database: Database;
  #desktops: readonly VmId[] = [];
  #machines: LabMachines | undefined;

  /** Removes what an earlier run left, then makes the network, the database and the nodes; starts the nodes. */
  static async create(options: ManyNodesOptions): Promise<ManyNodes> {
    await claimLab(options.lab);
    const lab = new ManyNodes(options);
    await lab.#remove();
    try {
      await lab.#make();
      return lab;
    } catch (error) {
      await lab.dispose();
      throw error;
    }
  }

  async #make(): Promise<void> {
    await mkdir(`${this.folder}/shared`, { recursive: true });
    await chmod(this.folder, 0o755);
    await this.#makeSwitch();
    await this.server.create();
    const identities = await createBoxIdentities(...this.nodes.map(({ name }) => name));
    await Promise.all(this.nodes.map((node, index) => node.create(identities[index])));
    await Promise.all(this.nodes.map((node) => node.start()));
    await this.waitForNodes();
  }

  private constructor(options: ManyNodesOptions) {
    const { lab, network, executable } = options;
    const env = { QVD_NETWORK_ALLOW: `${network}.254:${BEATS_PORT}`, ...options.env };
    this.options = options;
    this.server = new LabDatabase({
      folder: `${this.folder}/database`,
      address: `${network}.254`,
      network: `${network}.0/24`,
    });
    this.database = this.server.open();
    this.nodes = Array.from(
      { length: options.nodes },
      (_, index) =>
        new LabNode({
          ...{ lab, network, executable, env, folder: this.folder },
          number: index + 1,
          databaseUrl: this.server.url,
        }),
    );
  }

  get folder(): string {
    return `/var/tmp/qvd-${this.options.lab}`;
  }

  get desktops(): readonly VmId[] {
    return this.#desktops;
  }

  /** Desktops that are virtual machines; not among `desktops`. */
  get machines(): readonly VmId[] {
    return this.#machines?.vmIds ?? [];
  }

  /** Until every node that is on is registered and up. */
  async waitForNodes(timeoutMs = READY_MS): Promise<void> {
    const wanted = this.nodes.filter((node) => node.isOn).length;
    const isReady = async () => {
      const rows = await this.database.orm.execute(sql`
        select 1 from leases l join node_reports r on r.node_id = l.node_id
        where l.valid_until > qvd_now() and l.lost_at is null and r.state = 'running'
          and (l.fences or ${wanted === 1})`);
      return rows.length >= wanted;
    };
    if (await waitFor(isReady, { timeoutMs, everyMs: 200 })) return;
    const logs = await Promise.all(this.nodes.map(async (node) => `${node.name}: ${await tail(node)}`));
    throw new Error(`the nodes are not ready:\n${logs.join("\n")}`);
  }

  /** Makes desktops that beat, or those of another archive, and wishes them running. */
  async addDesktops(count: number, more: Partial<LabDesktops> = {}): Promise<void> {
    if (more.archive === undefined)
      await packBeatingDesktop(`${this.folder}/beating.tar`, { agent: this.options.executable });
    this.#desktops = await addLabDesktops(this.database, {
      ...{ count, homeMb: HOME_MB, networkRange: "10.79.0.0/16", readyMs: READY_MS },
      ...{ archive: `${this.folder}/beating.tar`, sharedFolder: `${this.folder}/shared` },
      ...more,
    });
  }

  /** A process of the desktop, wherever it runs; several when it runs more than once. */
  findDesktop(vmId: VmId): readonly { readonly node: LabNode; readonly pid: number }[] {
    return this.nodes.flatMap((node) => {
      const pid = node.desktopPid(vmId);
      return pid === undefined ? [] : [{ node, pid }];
    });
  }

  /** Texts of a file that the desktop sees, one for each place where it runs. */
  readInside(vmId: VmId, file: string): readonly string[] {
    return this.findDesktop(vmId).flatMap(({ pid }) => {
      try {
        return [readFileSync(`/proc/${pid}/root/${file}`, "utf8")];
      } catch {
        // It ended meanwhile, or doesn't have it yet.
        return [];
      }
    });
  }

  listBeats(vmId: VmId): readonly string[] {
    return this.readInside(vmId, `home/${BEATS_FILE}`);
  }

  /** Life and number of the last line that the desktop's disk has acknowledged, wherever it runs. */
  listAcknowledged(vmId: VmId): readonly { readonly life: string; readonly number: number }[] {
    const told = this.#machines?.lastTold(vmId);
    if (told !== undefined) return [told];
    return this.readInside(vmId, ACKNOWLEDGED_FILE).flatMap((text) => {
      const [life, number] = text.trim().split(" ");
      return life === undefined || number === undefined ? [] : [{ life, number: Number(number) }];
    });
  }

  /** Virtual machines that beat, wished running; they are emulated, so that it takes a while until they run. */
  async addMachines(count: number): Promise<void> {
    this.#machines ??= await LabMachines.add(this, count);
  }

  /** Stops a machine; what it has told, and the lines in its home. */
  async readMachine(vmId: VmId): Promise<{ readonly witnesses: readonly Witness[]; readonly text: string }> {
    const machines = this.#machines;
    if (machines === undefined) throw new Error("the lab has no machines");
    return { witnesses: machines.witnessesOf(vmId), text: await machines.readBeats(vmId) };
  }

  /** Desktops that the site says run, with an agent that answers. */
  async listRunning(): Promise<readonly VmId[]> {
    const rows = await this.database.orm.execute<{ id: VmId }>(sql`
      select v.id from vm_reports r join vms v on v.id = r.vm_id
      where r.state = 'running' and r.has_agent and r.epoch = v.epoch and v.node_id = r.node_id`);
    return rows.map(({ id }) => id);
  }

  /** All that the site knows of a desktop, its last lines, and the processes of it that there are. */
  async describeDesktop(vmId: VmId): Promise<string> {
    const [row] = await this.database.orm.execute(sql`
      select v.wish, v.node_id, v.epoch, v.is_blocked, v.blocked_reason, to_jsonb(r) as report, l.epoch as lease_epoch,
        l.valid_until > qvd_now() as is_lease_valid, l.lost_at
      from vms v left join vm_reports r on r.vm_id = v.id left join leases l on l.node_id = v.node_id
      where v.id = ${vmId}`);
    const events = await this.database.orm.execute(sql`
      select at, node_id, to_jsonb(e) - 'vm_id' - 'id' - 'at' - 'node_id' as what from vm_events e where vm_id = ${vmId} order by id desc limit 25`);
    const found = this.findDesktop(vmId).map(
      ({ node, pid }) => `${node.name} has process ${pid}: ${stateOf(pid)}`,
    );
    const logs = await Promise.all(this.nodes.map(async (node) => `${node.name}: ${await tail(node, vmId)}`));
    return [
      await listHolders(`homes/${vmId}.img`),
      `desktop ${vmId}: ${JSON.stringify(row)}`,
      ...found,
      ...events.map((event) => JSON.stringify(event)),
      ...logs,
    ].join("\n");
  }

  async countTakeovers(): Promise<number> {
    const [row] = await this.database.orm.execute<{ count: number }>(
      sql`select count(*)::int as count from audit_log where action = 'node.take-over'`,
    );
    return row?.count ?? 0;
  }

  /** Drops every packet between the node and the lab's switch, silently. */
  async cutDatabase(node: LabNode, isCut: boolean): Promise<void> {
    const word = isCut ? "add" : "delete";
    await run(["nft", word, "element", "bridge", this.options.lab, "cut", `{ "${node.port}" }`]);
  }

  /** Drops this share of the node's packets, in percent. */
  async losePackets(node: LabNode, percent: number): Promise<void> {
    const { lab } = this.options;
    await run(["nft", "flush", "chain", "bridge", lab, "lossy"]);
    if (percent > 0)
      await runOk("losing packets", [
        ...["nft", "add", "rule", "bridge", lab, "lossy", "iifname", node.port],
        ...["numgen", "random", "mod", "100", "<", `${percent}`, "drop"],
      ]);
  }

  async dispose(): Promise<void> {
    this.#machines?.stop();
    await this.database.close();
    await this.#remove();
    releaseLab(this.options.lab);
  }

  async #makeSwitch(): Promise<void> {
    const { lab, network } = this.options;
    const bridge = `${lab}br`;
    await runOk("making the switch", ["ip", "link", "add", bridge, "type", "bridge"]);
    // Fixed: a bridge takes its ports' lowest one, and a node that loses its power would change it for all others.
    await runOk("its hardware address", ["ip", "link", "set", bridge, "address", "02:71:76:64:00:fe"]);
    await runOk("its address", ["ip", "addr", "add", `${network}.254/24`, "dev", bridge]);
    await runOk("its start", ["ip", "link", "set", bridge, "up"]);
    const hooks = ["input", "output", "forward"].map((name) =>
      [
        `chain ${name} {`,
        `type filter hook ${name} priority 0; policy accept;`,
        ...["iifname @cut drop", "oifname @cut drop", "jump lossy", "}"],
      ].join("\n"),
    );
    const table = [
      `table bridge ${lab} {`,
      "set cut { type ifname; }",
      "chain lossy { }",
      ...hooks,
      "}",
      "",
    ].join("\n");
    await runOk("making the scissors", ["nft", "-f", "-"], { stdin: table });
  }

  /** In an order that works whatever of it there is. */
  async #remove(): Promise<void> {
    const { lab } = this.options;
    for (const node of this.nodes)
      await node.dispose().catch((error) => void process.stderr.write(`${error}\n`));
    if (existsSync(this.folder)) await this.server.stop("immediate");
    for (const pid of await findLeftCounters(this.folder)) process.kill(pid, "SIGKILL");
    const mounts = readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[4] ?? "")
      .filter((path) => path.startsWith(`${this.folder}/`));
    for (const mount of mounts.toReversed()) await run(["umount", "-l", mount]);
    await run(["nft", "delete", "table", "bridge", lab]);
    await run(["ip", "link", "del", `${lab}br`]);
    await run(["rmdir", `/sys/fs/cgroup/unified/${lab}`]);
    // A file system of counters that is just going keeps the folder for a moment.
    await waitFor(
      () =>
        rm(this.folder, { recursive: true, force: true }).then(
          () => true,
          () => false,
        ),
      { timeoutMs: 10_000, everyMs: 500 },
    );
  }
}

/** File systems of counters that a killed run left. */
async function findLeftCounters(folder: string): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  return pids.filter((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return words[0] === "bindfs" && words.some((word) => word.startsWith(`${folder}/`));
    } catch {
      // It ended meanwhile.
      return false;
    }
  });
}

/** Of `vmId` alone, where it is given. */
async function tail(node: LabNode, vmId?: VmId): Promise<string> {
  const all = (await node.log()).split("\n");
  const lines = all.filter((line) => vmId === undefined || line.includes(`"vmId":${vmId},`)).slice(-12);
  const keeper = (await node.log("keeper")).split("\n").slice(-6);
  const folders = await readdir(node.folder).catch((): string[] => []);
  return `${folders.join(" ")}\n${lines.join("\n")}\n-- keeper\n${keeper.join("\n")}`;
}

/** `D` is one that waits for its disk, such as a frozen one. */
function stateOf(pid: number): string {
  try {
    return /^State:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "";
  } catch {
    return "gone meanwhile";
  }
}

/** Loop devices over the file, and the processes in whose view one of them is mounted or that have it open. */
async function listHolders(file: string): Promise<string> {
  const script = `for loop in $(grep -l '${file}' /sys/block/loop*/loop/backing_file | cut -d/ -f4); do
    echo "$loop"
    for pid in $(grep -l "/dev/$loop " /proc/[0-9]*/mountinfo 2>/dev/null | cut -d/ -f3) $(ls -l /proc/[0-9]*/fd 2>/dev/null | grep -B99 "/dev/$loop$" | grep -o '^/proc/[0-9]*' | cut -d/ -f3 | tail -1)
    do echo "  $pid $(cut -d')' -f2 /proc/$pid/stat | cut -c1-3) $(tr '\\0' ' ' < /proc/$pid/cmdline | cut -c1-120)"; done
  done`;
  const { stdout } = await run(["sh", "-c", script]);
  return `held by: ${stdout.trim() || "nobody that is seen"}`;
}
