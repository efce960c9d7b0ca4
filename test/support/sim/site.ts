/**
 * A whole site in one process, by a hand-driven clock: boxes, a real database, desktops by name, and the log of
 * what became true. The product's own services, loop, keeper and takeover run in it.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { sql } from "drizzle-orm";
import type { DiId, NodeId, OsfId, UserId, VmId } from "../../../src/domain/ids.ts";
import { asId } from "../../../src/domain/ids.ts";
import type { Log } from "../../../src/lib/log.ts";
import type { Context } from "../../../src/service/context.ts";
import { createVm } from "../../../src/service/vm/create.ts";
import { type BoxTraits, SimBox } from "./box.ts";
import { SIM_EPOCH_MS, type SimDatabase, type SimLink, SPECTATOR } from "./database.ts";
import { newOwner, type SimOwner, SimTime } from "./time.ts";

/** At which verb of a driver, or statement, a box's node process is killed. */
export type Trap = { readonly when: "before" | "after"; readonly what: string };

type Seen = { eventId: number; readonly states: Map<VmId, string>; readonly isDouble: Set<VmId> };

export class SimSite {
  readonly database: SimDatabase;
  readonly time: SimTime;
  readonly startMs = SIM_EPOCH_MS;
  /** For the few files that the node's own steps write. */
  readonly folder = mkdtempSync(`${tmpdir()}/qvd-scenario-`);
  readonly boxes = new Map<string, SimBox>();
  readonly vms = new Map<string, VmId>();
  /** Counters on the shared storage. */
  readonly shared = new Map<NodeId, string>();
  readonly traps = new Map<SimBox, Trap>();
  readonly lines: string[] = [];
  readonly link: SimLink;
  osfId = asId<OsfId>(1);
  diId = asId<DiId>(1);
  userId = asId<UserId>(1);
  readonly #names = new Map<VmId, string>();
  readonly #seen: Seen = { eventId: 0, states: new Map(), isDouble: new Set() };
  #seenAt = -1;

  constructor(database: SimDatabase) {
    this.database = database;
    this.time = new SimTime(() => database.settle());
    this.link = database.link(newOwner(SPECTATOR), "qvd_owner");
    database.onStatement = (owner, text, when) => this.#spring(owner, text, when);
  }

  get context(): Context {
    return { db: this.link.db, actor: { kind: "system", what: "scenario" } };
  }

  /** Empties the database of an earlier scenario, ids included, and makes a person and an image. */
  async begin(): Promise<void> {
    const { db } = this.link;
    await db.execute(sql`truncate vms, users, nodes, osfs, dis, di_tags, audit_log, node_reports, leases,
      vm_reports, vm_events, sessions, properties, join_codes restart identity cascade`);
    await db.execute(sql`delete from tenants where id > 0`);
    await db.execute(sql`alter table tenants alter column id restart`);
    await db.execute(sql`insert into tenants (name) values ('acme')`);
    await db.execute(sql`insert into users (tenant_id, login, full_name) values (1, 'anna', 'Anna')`);
    await db.execute(sql`insert into osfs (tenant_id, name, memory_mb) values (1, 'desk', 512)`);
    await db.execute(
      sql`insert into dis (osf_id, version, file_name, state) values (1, '1', 'desk.tar', 'ready')`,
    );
    await db.execute(sql`insert into di_tags (osf_id, tag, di_id) values (1, 'default', 1)`);
  }

  async addBox(name: string, traits: BoxTraits): Promise<SimBox> {
    const box = new SimBox(this, name, traits);
    this.boxes.set(name, box);
    await box.startProcess();
    return box;
  }

  /** Another machine under a name that is taken. */
  async addDouble(name: string): Promise<SimBox> {
    const box = new SimBox(this, name, this.box(name).traits);
    box.boxId = `another-box-of-${name}`;
    this.boxes.set(`${name}2`, box);
    await box.startProcess();
    return box;
  }

  async addVm(name: string): Promise<VmId> {
    const { userId, osfId } = this;
    const { vmId } = await createVm(this.context, { networkRange: "10.77.0.0/16" }, { userId, osfId, name });
    this.vms.set(name, vmId);
    this.#names.set(vmId, name);
    return vmId;
  }

  box(name: string): SimBox {
    const box = this.boxes.get(name);
    if (box === undefined) throw new Error(`there is no node ${name}`);
    return box;
  }

  vm(name: string): VmId {
    const vmId = this.vms.get(name);
    if (vmId === undefined) throw new Error(`there is no desktop ${name}`);
    return vmId;
  }

  nameOf(vmId: VmId): string {
    return this.#names.get(vmId) ?? `#${vmId}`;
  }

  say(who: string, text: string): void {
    const seconds = (this.time.nowMs / 1000).toFixed(3).padStart(9);
    this.lines.push(`${seconds}  ${who.padEnd(3)}  ${text}`);
  }

  /** Boxes hear of each other's changes as by notices; one that the database can't reach hears nothing. */
  wakeOthers(from: SimBox, vmId: VmId | undefined): void {
    for (const box of this.boxes.values())
      if (box !== from && !box.isDatabaseCut) box.process?.loop.wake(vmId);
  }

  wakeAll(vmId?: VmId): void {
    if (this.database.isAway) return;
    for (const box of this.boxes.values()) if (!box.isDatabaseCut) box.process?.loop.wake(vmId);
  }

  /** What a process asks of its box: told, trapped, and without an answer once the process is gone. */
  guard<T extends object>(owner: SimOwner, driver: T): T {
    return new Proxy(driver, {
      get: (target, verb) => {
        const method: unknown = Reflect.get(target, verb);
        if (typeof method !== "function") return method;
        if (verb === "watch" || verb === "observe") return method.bind(target);
        return async (...args: unknown[]) => {
          this.#spring(owner, String(verb), "before");
          if (owner.isGone) return await new Promise(() => {});
          const [ended] = await Promise.allSettled([Reflect.apply(method, target, args)]);
          this.#spring(owner, String(verb), "after");
          // A process that is gone hears of nothing any more.
          if (owner.isGone) return await new Promise(() => {});
          if (ended?.status === "rejected") throw ended.reason;
          return ended?.value;
        };
      },
    });
  }

  #spring(owner: SimOwner, what: string, when: Trap["when"]): void {
    for (const [box, trap] of this.traps) {
      if (box.process?.owner !== owner || trap.when !== when || !what.includes(trap.what)) continue;
      this.traps.delete(box);
      this.say(box.name, `killed ${when} ${trap.what}`);
      box.endProcess();
    }
  }

  logOf(who: string): Log {
    const quiet = () => {};
    const tell = (event: string) => {
      if (TOLD.has(event)) this.say(who, event);
    };
    return {
      debug: quiet,
      info: tell,
      warn: tell,
      error: tell,
      with: () => this.logOf(who),
    };
  }

  /** Nothing of it goes on afterwards. */
  end(): void {
    for (const box of this.boxes.values()) box.powerOff();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async advance(ms: number): Promise<void> {
    await this.time.advance(ms, () => this.look());
  }

  /** Adds to the log what has become true since it was looked last. */
  async look(): Promise<void> {
    this.#lookForDoubles();
    if (this.#seenAt === this.database.done) return;
    await this.#readTrail();
    await this.#readStates();
    this.#seenAt = this.database.done;
  }

  #lookForDoubles(): void {
    for (const [name, vmId] of this.vms) {
      const where = [...this.boxes.values()].filter((box) => box.isAtWork(vmId));
      const isDouble = where.length > 1;
      if (isDouble === this.#seen.isDouble.has(vmId)) continue;
      if (isDouble) this.#seen.isDouble.add(vmId);
      else this.#seen.isDouble.delete(vmId);
      this.say(
        "!!",
        `${name} ${isDouble ? `RUNS TWICE: ${where.map((box) => box.name).join(", ")}` : "runs once again"}`,
      );
    }
  }

  async #readTrail(): Promise<void> {
    const rows = await this.link.db.execute<{
      id: number;
      vmId: VmId;
      code: string;
      node: string | null;
    }>(sql`
      select e.id::int as id, e.vm_id as "vmId", e.code, n.name as node from vm_events e
      left join nodes n on n.id = e.node_id where e.id > ${this.#seen.eventId} order by e.id`);
    for (const { id, vmId, code, node } of rows) {
      this.#seen.eventId = id;
      this.say(node ?? "-", `${this.nameOf(vmId)} ${code}`);
    }
  }

  async #readStates(): Promise<void> {
    const rows = await this.link.db.execute<{
      vmId: VmId;
      state: string;
      fault: string | null;
      node: string | null;
    }>(sql`
      select r.vm_id as "vmId", r.state, r.fault_code as fault, n.name as node from vm_reports r
      left join nodes n on n.id = r.node_id order by r.vm_id`);
    for (const { vmId, state, fault, node } of rows) {
      const now = fault === null ? state : `${state} (${fault})`;
      if (this.#seen.states.get(vmId) === `${node} ${now}`) continue;
      this.#seen.states.set(vmId, `${node} ${now}`);
      this.say(node ?? "-", `${this.nameOf(vmId)} is ${now}`);
    }
  }
}

/** Of the processes' logs only what no trail tells. */
const TOLD = new Set([
  "database-away",
  "database-back",
  "lease-lost",
  "stranger-running",
  "stranger-cleaned-up",
  "stranger-not-cleaned-up",
  "plan-restless",
  "pass-failed",
]);
