/** The rows that tests of the node stand on: a person, an image, desktops; and what became of them. */

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
import type { ClientParameters, GivenParameters } from "../../src/domain/session/client-parameters.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createTestDatabase, type TestDatabase } from "./cluster.ts";

/** What a client and an authenticator said; the rest is a plain client's. */
export type RequestedClient = {
  readonly access?: "nx" | "console";
  readonly client?: Partial<ClientParameters>;
  readonly parameters?: GivenParameters;
};

export class NodeDatabase {
  readonly database: TestDatabase;
  /** Opened as the owner: reads everything, and plays administrators and brokers. */
  readonly owner: Db;
  readonly node: Db;
  osfId: OsfId = asId<OsfId>(1);
  diId: DiId = asId<DiId>(1);
  userId: UserId = asId<UserId>(1);
  /** Called after each change, as a wake would be sent. */
  onChange: (vmId: VmId) => void = () => {};
  readonly #network: string;
  #lastSlot = 0;

  /** `network` is the beginning of the desktops' addresses, such as `10.93.0`. */
  static async create(network: string): Promise<NodeDatabase> {
    const rows = new NodeDatabase(await createTestDatabase(), network);
    await rows.#fill();
    return rows;
  }

  private constructor(database: TestDatabase, network: string) {
    this.database = database;
    this.owner = database.open("qvd_owner").orm;
    this.node = database.open("qvd_node").orm;
    this.#network = network;
  }

  async #fill(): Promise<void> {
    const tenant = await this.#insert(sql`insert into tenants (name) values ('acme') returning id`);
    this.userId = asId(
      await this.#insert(
        sql`insert into users (tenant_id, login, full_name) values (${tenant}, 'anna', 'Anna') returning id`,
      ),
    );
    this.osfId = asId(
      await this.#insert(
        sql`insert into osfs (tenant_id, name, memory_mb) values (${tenant}, 'desk', 512) returning id`,
      ),
    );
    this.diId = await this.addImage("1");
    await this.tag(this.diId);
  }

  async #insert(statement: ReturnType<typeof sql>): Promise<number> {
    return Number((await this.owner.execute<{ id: number }>(statement))[0]?.id);
  }

  /** A node that holds its lease and has reported, without a process of its own. */
  async addNode(name: string): Promise<NodeId> {
    const nodeId = asId<NodeId>(
      await this.#insert(sql`insert into nodes (name) values (${name}) returning id`),
    );
    const facts = JSON.stringify({ memoryMb: 16_384, cpus: 8 });
    await this.owner.execute(sql`insert into node_reports (node_id, state, facts, started_at)
      values (${nodeId}, 'running', ${facts}::text::jsonb, now())`);
    await this.owner.execute(
      sql`insert into leases (node_id, valid_until) values (${nodeId}, now() + interval '1 day')`,
    );
    return nodeId;
  }

  async addImage(version: string, state = "ready"): Promise<DiId> {
    return asId(
      await this.#insert(sql`insert into dis (osf_id, version, file_name, state)
        values (${this.osfId}, ${version}, 'desk.tar', ${state}) returning id`),
    );
  }

  async tag(diId: DiId): Promise<void> {
    await this.owner.execute(sql`insert into di_tags (osf_id, tag, di_id) values (${this.osfId}, 'default', ${diId})
      on conflict (osf_id, tag) do update set di_id = excluded.di_id`);
  }

  /** A desktop that no node has yet. */
  async addVm(name: string): Promise<VmId> {
    const slot = ++this.#lastSlot;
    return asId(
      await this.#insert(sql`insert into vms (tenant_id, user_id, osf_id, name, address, id_slot)
        select tenant_id, id, ${this.osfId}, ${name}, ${`${this.#network}.${slot + 1}`}::inet, ${slot}::int
        from users where id = ${this.userId} returning id`),
    );
  }

  async wish(vmId: VmId, wish: "running" | "stopped"): Promise<void> {
    await this.owner.execute(sql`update vms set wish = ${wish}, wish_generation = wish_generation + 1,
      wished_at = now(), wished_by = 'user:anna@acme' where id = ${vmId}`);
    this.onChange(vmId);
  }

  async requestSession(vmId: VmId, more: RequestedClient = {}): Promise<SessionId> {
    await this.owner.execute(sql`update sessions set superseded_at = now()
      where vm_id = ${vmId} and ended_at is null and superseded_at is null`);
    const client = {
      keyboard: "pc105/us",
      os: "linux",
      link: "adsl",
      geometry: "1024x768",
      isFullscreen: false,
      ...more.client,
    };
    const id = await this.#insert(sql`
      insert into sessions (vm_id, user_id, client, parameters, slave_key, broker_worker, access)
      values (${vmId}, ${this.userId}, ${JSON.stringify(client)}::text::jsonb,
        ${JSON.stringify(more.parameters ?? {})}::text::jsonb, ${"k".repeat(64)}, 'broker-1', ${more.access ?? "nx"})
      returning id`);
    this.onChange(vmId);
    return asId(id);
  }

  async deleteVm(vmId: VmId): Promise<void> {
    await this.owner.execute(sql`update vms set deleted_at = now() where id = ${vmId}`);
    this.onChange(vmId);
  }

  async state(vmId: VmId): Promise<string> {
    const rows = await this.owner.execute<{ state: string }>(
      sql`select state from vm_reports where vm_id = ${vmId}`,
    );
    return rows[0]?.state ?? "unreported";
  }

  /** Waits until the desktop is reported so; says what it was instead when it isn't in time. */
  async reaches(vmId: VmId, state: string, timeoutMs = 15_000): Promise<string> {
    let seen = "";
    const isReached = async () => {
      seen = await this.state(vmId);
      return seen === state;
    };
    // Not looked at again: it may be in the next state by then.
    await waitFor(isReached, { timeoutMs, everyMs: 5 });
    return seen;
  }

  async trail(vmId: VmId): Promise<readonly string[]> {
    const rows = await this.owner.execute<{ code: string }>(
      sql`select code from vm_events where vm_id = ${vmId} order by id`,
    );
    return rows.map((row) => row.code);
  }

  /** True when the trail tells of it in time. */
  async tells(vmId: VmId, code: string, timeoutMs = 15_000): Promise<boolean> {
    const isTold = async () => (await this.trail(vmId)).includes(code);
    return (await waitFor(isTold, { timeoutMs, everyMs: 10 })) === true;
  }

  async textOf(vmId: VmId, code: string): Promise<string> {
    const rows = await this.owner.execute<{ text: string }>(
      sql`select text from vm_events where vm_id = ${vmId} and code = ${code} order by id desc limit 1`,
    );
    return rows[0]?.text ?? "";
  }

  /** Wish and report side by side, under the names of their columns; empty when the desktop is gone. */
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

  async sessionReaches(id: SessionId, state: string, timeoutMs = 15_000): Promise<boolean> {
    const isThere = async () => (await this.session(id)).state === state;
    return (await waitFor(isThere, { timeoutMs, everyMs: 10 })) === true;
  }
}
