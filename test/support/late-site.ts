/**
 * Two machines of their own kernels as the boxes of one site: a switch that can drop what one of them says to
 * the database or the storage, a PostgreSQL and an NFS server on this machine, and desktops that tell of each
 * line that their home has acknowledged. `dispose` takes all of it away.
 */

import { chmod, copyFile, mkdir, mkdtemp, readFile } from "node:fs/promises";
import { sql } from "drizzle-orm";
import type { Database } from "../../src/db/client.ts";
import type { VmId } from "../../src/domain/ids.ts";
import { homeImage, layoutOf } from "../../src/domain/node/layout.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { wishVmRunning } from "../../src/service/vm/wish-running.ts";
import { wishVmStopped } from "../../src/service/vm/wish-stopped.ts";
import { BEATS_FILE, packBeatingDesktop } from "./beating-desktop.ts";
import { BeatsHeard, type HeardBeat } from "./beats-heard.ts";
import { LabDatabase } from "./lab-database.ts";
import { addLabDesktops, wakeLab } from "./lab-desktops.ts";
import { LateBox } from "./late-box.ts";
import { type NfsServer, startNfsServer } from "./nfs-server.ts";

export type LateSiteOptions = {
  readonly executable: string;
  readonly leaseSeconds: number;
  /** How long the NFS server keeps the locks of a silent box. */
  readonly nfsLeaseSeconds: number;
};

export type Way = "database" | "storage";

const LAB = "late";
const BRIDGE = `${LAB}br`;
const NETWORK = "10.98.21";
const HOST = `${NETWORK}.254`;
const PORTS = { database: 5_432, storage: 2_049, beats: 7_921 } as const;
const FIRST_SSH_PORT = 22_201;
const DESKTOPS = "10.79.0.0/16";
const HOME_MB = 32;
const READY_MS = 600_000;

export class LateSite {
  readonly server: LabDatabase;
  readonly database: Database;
  readonly #options: LateSiteOptions;
  readonly #scratch: string;
  #boxes: readonly LateBox[] = [];
  #storage: NfsServer | undefined;
  #heard: BeatsHeard | undefined;
  #desktops: ReadonlyMap<VmId, string> = new Map();

  /** Resolves when both boxes are up and watch each other. */
  static async create(options: LateSiteOptions): Promise<LateSite> {
    const site = new LateSite(options, await mkdtemp("/var/tmp/qvd-late-"));
    try {
      await site.#make();
      return site;
    } catch (error) {
      const said = await site.tell();
      await site.dispose();
      throw new Error(`the boxes did not come up:\n${said}`, { cause: error });
    }
  }

  private constructor(options: LateSiteOptions, scratch: string) {
    this.#options = options;
    this.#scratch = scratch;
    this.server = new LabDatabase({
      folder: `${scratch}/database`,
      address: HOST,
      network: `${NETWORK}.0/24`,
    });
    this.database = this.server.open();
  }

  get boxes(): readonly LateBox[] {
    return this.#boxes;
  }

  get sharedFolder(): string {
    return `${this.#scratch}/share`;
  }

  heard(vmId: VmId): readonly HeardBeat[] {
    return this.#heard?.list(this.#desktops.get(vmId) ?? "") ?? [];
  }

  /** Makes desktops that beat; resolves when each has said so. */
  async addDesktops(count: number): Promise<readonly VmId[]> {
    const archive = `${this.#scratch}/beating.tar`;
    await packBeatingDesktop(archive, {
      agent: this.#options.executable,
      report: `${HOST}/${PORTS.beats}`,
    });
    const made = await addLabDesktops(this.database, {
      ...{ count, archive, homeMb: HOME_MB, sharedFolder: this.sharedFolder },
      ...{ networkRange: DESKTOPS, readyMs: READY_MS },
    });
    const named = await this.database.orm.execute<{ id: VmId; name: string }>(sql`select id, name from vms`);
    this.#desktops = new Map(named.map(({ id, name }) => [id, name]));
    return made;
  }

  /** The box that the desktop is placed on. */
  async holderOf(vmId: VmId): Promise<LateBox | undefined> {
    const [row] = await this.database.orm.execute<{ name: string }>(
      sql`select n.name from vms v join nodes n on n.id = v.node_id where v.id = ${vmId}`,
    );
    return this.#boxes.find(({ name }) => name === row?.name);
  }

  async countTakeovers(): Promise<number> {
    const [row] = await this.database.orm.execute<{ count: number }>(
      sql`select count(*)::int as count from audit_log where action = 'node.take-over'`,
    );
    return row?.count ?? 0;
  }

  /** Under which the box has its right now; undefined where it has lost it. */
  async epochOf(box: LateBox): Promise<number | undefined> {
    const [row] = await this.database.orm.execute<{ epoch: number }>(sql`
      select l.epoch from leases l join nodes n on n.id = l.node_id
      where n.name = ${box.name} and l.lost_at is null and l.valid_until > qvd_now()`);
    return row?.epoch;
  }

  /** Drops every packet between the box and this, in both directions and silently. */
  async cut(box: LateBox, way: Way, isCut: boolean): Promise<void> {
    const word = isCut ? "add" : "delete";
    const element = `{ "${box.tap}" . ${PORTS[way]} }`;
    await runOk("cutting", ["nft", word, "element", "bridge", LAB, "cut", element]);
  }

  /** Stops the desktop, looks through its home where it lies, and starts it again. */
  async readHome(vmId: VmId): Promise<string> {
    const context = { db: this.database.orm, actor: { kind: "system", what: "lab" } } as const;
    await wishVmStopped(context, { vmId });
    await wakeLab(this.database, "vm");
    const isStopped = async () => {
      const [row] = await this.database.orm.execute<{ state: string }>(
        sql`select state from vm_reports where vm_id = ${vmId}`,
      );
      return row?.state === "stopped";
    };
    if (!(await waitFor(isStopped, { timeoutMs: READY_MS, everyMs: 200 })))
      throw new Error(`desktop ${vmId} did not stop`);
    try {
      return await this.#lookInto(vmId);
    } finally {
      await wishVmRunning(context, { vmId });
      await wakeLab(this.database, "vm");
    }
  }

  async tell(): Promise<string> {
    const told = await Promise.allSettled(this.#boxes.map((box) => box.tell()));
    return told.map((one) => (one.status === "fulfilled" ? one.value : String(one.reason))).join("\n");
  }

  async dispose(): Promise<void> {
    for (const box of this.#boxes) await box.machine.dispose();
    this.#heard?.stop();
    await this.#storage?.stop();
    await this.database.close();
    await this.server.stop("immediate");
    await removeSwitch();
    await run(["rm", "-rf", "--one-file-system", "--", this.#scratch]);
  }

  async #make(): Promise<void> {
    await chmod(this.#scratch, 0o755);
    await removeSwitch();
    await makeSwitch();
    await this.server.create();
    this.#heard = new BeatsHeard(HOST, PORTS.beats);
    this.#storage = await startNfsServer({
      ...{ scratch: this.#scratch, address: HOST, port: PORTS.storage },
      leaseSeconds: this.#options.nfsLeaseSeconds,
    });
    const started = await Promise.allSettled([1, 2].map((number) => this.#startBox(number)));
    this.#boxes = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    for (const one of started) if (one.status === "rejected") throw one.reason;
    const isReady = async () => {
      const rows = await this.database.orm.execute(sql`
        select 1 from leases l join node_reports r on r.node_id = l.node_id
        where l.valid_until > qvd_now() and l.lost_at is null and l.fences and r.state = 'running'`);
      return rows.length === this.#boxes.length;
    };
    if (!(await waitFor(isReady, { timeoutMs: READY_MS, everyMs: 500 })))
      throw new Error("the boxes did not register");
  }

  #startBox(number: number): Promise<LateBox> {
    const { executable, leaseSeconds } = this.#options;
    return LateBox.start({
      name: `${LAB}${number}`,
      tap: `${LAB}-t${number}`,
      hardwareAddress: `02:71:76:6c:00:0${number}`,
      address: `${NETWORK}.${number}/24`,
      sshPort: FIRST_SSH_PORT + number,
      share: { source: `${HOST}:/share`, options: `port=${PORTS.storage}` },
      executable,
      settings: {
        QVD_DATABASE_URL: this.server.url,
        QVD_NODE_ADDRESS: `${NETWORK}.${number}`,
        QVD_NETWORK_RANGE: DESKTOPS,
        QVD_NETWORK_ALLOW: `${HOST}:${PORTS.beats}`,
        QVD_BROKER_WORKERS: "1",
        QVD_START_TIMEOUT: "240",
        QVD_LEASE: `${leaseSeconds}`,
      },
    });
  }

  /** A copy, so that nothing of the look changes the home. Throws when its file system has a fault. */
  async #lookInto(vmId: VmId): Promise<string> {
    const copy = `${this.#scratch}/home.img`;
    const mountPoint = `${this.#scratch}/home`;
    const home = homeImage(layoutOf("/var/lib/qvd", "/run/qvd", this.sharedFolder), vmId);
    await copyFile(home, copy);
    await runOk("replaying the journal", ["/usr/sbin/e2fsck", "-p", copy]);
    await runOk("looking through the file system", ["/usr/sbin/e2fsck", "-fn", copy]);
    await mkdir(mountPoint, { recursive: true });
    await runOk("mounting it", ["/usr/bin/mount", "-o", "loop,ro", copy, mountPoint]);
    try {
      const found = await runOk("looking for the lines", ["/usr/bin/find", mountPoint, "-name", BEATS_FILE]);
      return await readFile(found.trim(), "utf8");
    } finally {
      await runOk("unmounting it", ["/usr/bin/umount", mountPoint]);
    }
  }
}

async function makeSwitch(): Promise<void> {
  const ip = async (...words: string[]) => void (await runOk("making the switch", ["ip", ...words]));
  await ip("link", "add", BRIDGE, "type", "bridge");
  await ip("link", "set", BRIDGE, "address", "02:71:76:6c:00:fe");
  await ip("addr", "add", `${HOST}/24`, "dev", BRIDGE);
  await ip("link", "set", BRIDGE, "up");
  for (const number of [1, 2]) {
    await ip("tuntap", "add", `${LAB}-t${number}`, "mode", "tap");
    await ip("link", "set", `${LAB}-t${number}`, "master", BRIDGE, "up");
  }
  const chain = (hook: string, rule: string) =>
    `chain ${hook} { type filter hook ${hook} priority 0; policy accept; ${rule} drop; }\n`;
  const table = [
    `table bridge ${LAB} {\nset cut { type ifname . inet_service; }\n`,
    chain("input", "iifname . tcp dport @cut"),
    chain("output", "oifname . tcp sport @cut"),
    "}\n",
  ].join("");
  await runOk("making the scissors", ["nft", "-f", "-"], { stdin: table });
}

/** Also what a killed run left. */
async function removeSwitch(): Promise<void> {
  await run(["nft", "delete", "table", "bridge", LAB]);
  for (const name of [`${LAB}-t1`, `${LAB}-t2`, BRIDGE]) await run(["ip", "link", "del", name]);
}
