/** A box with simulated desktops over a real database: what the tests of the node's loop stand on. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { sql } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";
import {
  asId,
  type DiId,
  type NodeId,
  type OsfId,
  type SessionId,
  type UserId,
  type VmId,
} from "../../src/domain/ids.ts";
import { type Layout, layoutOf } from "../../src/domain/node/layout.ts";
import { parseNetworkRange } from "../../src/domain/node/network-range.ts";
import { VM_LIMITS, type VmLimits } from "../../src/domain/vm/facts.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createLog, type Log } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createGuestChannels, type GuestChannels } from "../../src/node/guest-channel/guest-channels.ts";
import { NodeLoop } from "../../src/node/loop.ts";
import { placeDesktops } from "../../src/node/place-desktops.ts";
import { recoverDesktops } from "../../src/node/recover.ts";
import { createTestDatabase, type TestDatabase } from "./cluster.ts";
import { SimHypervisor } from "./sim-hypervisor.ts";
import { createSimStorage, type SimStorage } from "./sim-storage.ts";

/** The documented times would make the tests wait; their order is kept. */
export const SHORT_LIMITS: VmLimits = {
  ...VM_LIMITS,
  firstBackoffMs: 20,
  mostBackoffMs: 100,
  startTimeoutMs: 150,
  poweroffAnswerMs: 100,
  goingDownMs: 100,
  terminateMs: 100,
  killAgainMs: 50,
  agentLostAfterMs: 80,
  sessionPrepareMs: 500,
  sessionAgentMs: 100,
};

export type RunningNode = {
  readonly loop: NodeLoop;
  readonly channels: GuestChannels;
  end(): Promise<void>;
  kill(): void;
};

export class NodeWorld {
  readonly database: TestDatabase;
  readonly hypervisor = new SimHypervisor();
  readonly layout: Layout;
  readonly storage: SimStorage;
  /** Opened as the owner: reads everything, and plays administrators and brokers. */
  readonly owner: Db;
  readonly node: Db;
  readonly folder: string;
  readonly ports = new Set<VmId>();
  readonly logged: string[] = [];
  nodeId: NodeId = asId<NodeId>(1);
  osfId: OsfId = asId<OsfId>(1);
  diId: DiId = asId<DiId>(1);
  userId: UserId = asId<UserId>(1);
  hasLease = true;
  #addresses = 1;
  readonly #running: RunningNode[] = [];

  static async create(): Promise<NodeWorld> {
    const world = new NodeWorld(await createTestDatabase());
    await world.#fill();
    return world;
  }

  private constructor(database: TestDatabase) {
    this.database = database;
    this.owner = database.open("qvd_owner").orm;
    this.node = database.open("qvd_node").orm;
    this.folder = mkdtempSync(`${tmpdir()}/qvd-node-`);
    this.layout = layoutOf(`${this.folder}/state`, `${this.folder}/run`);
    this.storage = createSimStorage(this.layout);
  }

  async #fill(): Promise<void> {
    const insert = async (statement: ReturnType<typeof sql>) =>
      Number((await this.owner.execute<{ id: number }>(statement))[0]?.id);
    const tenant = await insert(sql`insert into tenants (name) values ('acme') returning id`);
    this.userId = asId(
      await insert(
        sql`insert into users (tenant_id, login, full_name) values (${tenant}, 'anna', 'Anna') returning id`,
      ),
    );
    this.osfId = asId(
      await insert(sql`insert into osfs (tenant_id, name) values (${tenant}, 'desk') returning id`),
    );
    this.diId = await this.addImage("1");
    await this.tag(this.diId);
    this.nodeId = asId(await insert(sql`insert into nodes (name) values ('box') returning id`));
    const facts = JSON.stringify({ memoryMb: 16_384, cpus: 8 });
    await this.owner.execute(sql`insert into node_reports (node_id, state, facts, started_at)
      values (${this.nodeId}, 'running', ${facts}::text::jsonb, now())`);
    await this.owner.execute(
      sql`insert into leases (node_id, valid_until) values (${this.nodeId}, now() + interval '1 day')`,
    );
  }

  async addImage(version: string, state = "ready"): Promise<DiId> {
    const [row] = await this.owner.execute<{
      id: number;
    }>(sql`insert into dis (osf_id, version, file_name, state)
      values (${this.osfId}, ${version}, 'desk.tar', ${state}) returning id`);
    return asId(Number(row?.id));
  }

  async tag(diId: DiId): Promise<void> {
    await this.owner.execute(sql`insert into di_tags (osf_id, tag, di_id) values (${this.osfId}, 'default', ${diId})
      on conflict (osf_id, tag) do update set di_id = excluded.di_id`);
  }

  /** A desktop that no node has yet. */
  async addVm(name: string): Promise<VmId> {
    const slot = this.#addresses++;
    const [row] = await this.owner.execute<{ id: number }>(sql`
      insert into vms (tenant_id, user_id, osf_id, name, address, id_slot)
      select tenant_id, id, ${this.osfId}, ${name}, ${`10.93.0.${slot + 1}`}::inet, ${slot}::int
      from users where id = ${this.userId} returning id`);
    return asId(Number(row?.id));
  }

  async wish(vmId: VmId, wish: "running" | "stopped"): Promise<void> {
    await this.owner.execute(sql`update vms set wish = ${wish}, wish_generation = wish_generation + 1,
      wished_at = now(), wished_by = 'user:anna@acme' where id = ${vmId}`);
    for (const { loop } of this.#running) loop.wake(vmId);
  }

  async requestSession(vmId: VmId): Promise<SessionId> {
    await this.owner.execute(sql`update sessions set superseded_at = now()
      where vm_id = ${vmId} and ended_at is null and superseded_at is null`);
    const client = {
      keyboard: "pc105/us",
      os: "linux",
      link: "adsl",
      geometry: "1024x768",
      isFullscreen: false,
    };
    const [row] = await this.owner.execute<{ id: number }>(sql`
      insert into sessions (vm_id, user_id, client, slave_key, broker_worker)
      values (${vmId}, ${this.userId}, ${JSON.stringify(client)}::text::jsonb, ${"k".repeat(64)}, 'broker-1') returning id`);
    for (const { loop } of this.#running) loop.wake(vmId);
    return asId(Number(row?.id));
  }

  /** A node process; `kill` is its SIGKILL: nothing of it is tidied up. */
  async startNode(
    options: { readonly limits?: Partial<VmLimits>; readonly parallelStarts?: number } = {},
  ): Promise<RunningNode> {
    const log = this.#log();
    const channels: GuestChannels = createGuestChannels({
      log,
      clock: systemClock,
      onEvent: (vmId, event) => loop.takeGuestEvent(vmId, event),
    });
    const node = { nodeId: this.nodeId, name: "box" };
    const deps = {
      node,
      settings: {
        instance: "simbox",
        layout: this.layout,
        idRangeFirst: 1_000_000,
        range: parseNetworkRange("10.93.0.0/24"),
        agentExecutable: "/bin/true",
        parallelStarts: options.parallelStarts ?? 4,
        limits: { ...SHORT_LIMITS, ...options.limits },
      },
      db: this.node,
      hypervisor: this.hypervisor,
      storage: this.storage,
      network: {
        addPort: async (vmId: VmId, address: string) => {
          this.ports.add(vmId);
          const port = { bridge: "simboxbr0", interfaceName: `simbox-${vmId}`, mac: "02:51:0a:5d:00:02" };
          return { ...port, address, prefixLength: 24, gateway: "10.93.0.1" };
        },
        removePort: async (vmId: VmId) => void this.ports.delete(vmId),
      },
      channels,
      tell: () => {},
      place: () => placeDesktops({ db: this.node, node, log }),
      hasLease: () => this.hasLease,
      clock: systemClock,
      log,
    };
    const loop = new NodeLoop(deps, { fullPassMs: 300, gatherMs: 2 });
    await recoverDesktops(deps);
    loop.start();
    const unwatch = this.hypervisor.watch((vmId) => loop.wake(vmId));
    const forget = () => {
      unwatch();
      this.#running.splice(this.#running.indexOf(running), 1);
      channels.closeAll();
    };
    const running: RunningNode = {
      loop,
      channels,
      end: async () => {
        await loop.stop(2_000);
        forget();
      },
      kill: () => {
        void loop.stop(0);
        forget();
      },
    };
    this.#running.push(running);
    return running;
  }

  #log(): Log {
    return createLog({ level: "info", write: (line) => void this.logged.push(line), now: () => new Date() });
  }

  async state(vmId: VmId): Promise<string> {
    const rows = await this.owner.execute<{ state: string }>(
      sql`select state from vm_reports where vm_id = ${vmId}`,
    );
    return rows[0]?.state ?? "unreported";
  }

  /** Waits until the desktop is reported so; says what it was instead when it isn't in time. */
  async reaches(vmId: VmId, state: string, timeoutMs = 5_000): Promise<string> {
    await waitFor(async () => (await this.state(vmId)) === state, { timeoutMs, everyMs: 5 });
    return await this.state(vmId);
  }

  async trail(vmId: VmId): Promise<readonly string[]> {
    const rows = await this.owner.execute<{ code: string }>(
      sql`select code from vm_events where vm_id = ${vmId} order by id`,
    );
    return rows.map((row) => row.code);
  }

  async row(vmId: VmId): Promise<Record<string, unknown>> {
    const rows = await this.owner.execute(sql`select r.*, v.wish, v.wish_generation, v.wished_by from vms v
      left join vm_reports r on r.vm_id = v.id where v.id = ${vmId}`);
    return { ...rows[0] };
  }

  async session(id: SessionId): Promise<Record<string, unknown>> {
    const rows = await this.owner.execute(
      sql`select state, host(address) as address, port, fault_code, fault_text from sessions where id = ${id}`,
    );
    return { ...rows[0] };
  }

  /** Everything that a desktop may leave on the box, but its home. */
  async remains(): Promise<readonly string[]> {
    const seen = await this.hypervisor.observe();
    const folders = await this.storage.listMounted();
    return [
      ...[...seen.keys()].map((id) => `group ${id}`),
      ...[...folders.keys()].map((id) => `folder ${id}`),
      ...[...this.ports].map((id) => `port ${id}`),
    ];
  }

  async end(): Promise<void> {
    for (const running of [...this.#running]) await running.end();
    for (const vmId of (await this.hypervisor.observe()).keys()) this.hypervisor.die(vmId);
    await this.database.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
