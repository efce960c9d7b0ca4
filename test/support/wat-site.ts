/** A site with something of everything: desktops in all states, trails, sessions, images, a node with a problem. */

import { asId, type OsfId, type TenantId, type UserId, type VmId } from "../../src/domain/ids.ts";
import type { NodeFacts } from "../../src/domain/node/report.ts";
import { VM_STATES, type VmState } from "../../src/domain/vm/state.ts";
import { createAdministrator } from "../../src/service/administrator/create.ts";
import type { Context } from "../../src/service/context.ts";
import { enrolImage } from "../../src/service/image/enrol.ts";
import { moveTag } from "../../src/service/image/move-tag.ts";
import { createOsf } from "../../src/service/osf/create.ts";
import { createTenant } from "../../src/service/tenant/create.ts";
import { createUser } from "../../src/service/user/create.ts";
import { createVm } from "../../src/service/vm/create.ts";
import { wishVmRunning } from "../../src/service/vm/wish-running.ts";
import type { TestDatabase } from "./cluster.ts";

export const PASSWORD = "correct horse battery";

const deps = { hashPassword: async () => "not a hash", networkRange: "10.91.0.0/16" };
const PEOPLE = [
  ["ann", "Ann Ford"],
  ["bob", "Bob Miller"],
  ["carla", "Carla Núñez"],
  ["dmitri", "Dmitri Orlov"],
  ["eve", "<script>alert(1)</script>"],
] as const;

type Owner = ReturnType<TestDatabase["open"]>["sql"];

/** Returns the administrators' ids by login. */
export async function seedSite(
  database: TestDatabase,
  options: { readonly isEmpty?: boolean } = {},
): Promise<ReadonlyMap<string, number>> {
  const context: Context = { db: database.open("qvd_admin").orm, actor: { kind: "system", what: "test" } };
  const owner = database.open("qvd_owner").sql;
  const admin = await createAdministrator(context, deps, { login: "admin", password: PASSWORD });
  const { tenantId } = await createTenant(context, { name: "default" });
  const acme = await createTenant(context, { name: "acme" });
  const acmeAdmin = await createAdministrator(context, deps, {
    tenantId: acme.tenantId,
    login: "acme-admin",
    password: PASSWORD,
  });
  const ids = new Map([
    ["admin", Number(admin.administratorId)],
    ["acme-admin", Number(acmeAdmin.administratorId)],
  ]);
  if (options.isEmpty) return ids;
  await seedNode(owner);
  const osfId = await seedImages(context, owner, tenantId);
  await seedDesktops(context, owner, { tenantId, osfId });
  return ids;
}

async function seedNode(owner: Owner): Promise<void> {
  const facts: NodeFacts = {
    version: "0.1.0",
    pid: 4711,
    instance: "qvd",
    cpus: 8,
    memoryMb: 32_000,
    memoryFreeMb: 11_400,
    diskFreeMb: 210_000,
    lease: { epoch: 3, isHeld: true },
    workers: [
      {
        name: "auth",
        pid: 4720,
        state: "running",
        startedAtMs: Date.now() - 7_200_000,
        restarts: 0,
        connections: null,
      },
      {
        name: "broker-1",
        pid: 4721,
        state: "running",
        startedAtMs: Date.now() - 7_200_000,
        restarts: 0,
        connections: 2,
      },
      { name: "broker-2", pid: null, state: "restarting", startedAtMs: null, restarts: 3, connections: 0 },
    ],
    desktops: { running: 2 },
    problems: [
      {
        text: "broker-2 is not running (3 restarts).",
        advice: "Read its log, broker-2.log in the logs folder.",
      },
    ],
  };
  await owner`insert into nodes (name) values ('node-a')`;
  await owner`insert into node_reports (node_id, state, facts, started_at)
    select id, 'running', ${owner.json(facts)}, now() - interval '2 hours' from nodes`;
  await owner`insert into leases (node_id, epoch, valid_until) select id, 3, now() + interval '1 day' from nodes`;
}

async function seedImages(context: Context, owner: Owner, tenantId: TenantId): Promise<OsfId> {
  const office = await createOsf(context, { tenantId, name: "office", memoryMb: 2048, cpus: 2 });
  await createOsf(context, { tenantId, name: "cad", memoryMb: 8192, cpus: 4 });
  const files = ["office-12.tar.zst", "office-13.tar.zst", "office-14.tar.zst"];
  const versions = ["2026-09-01", "2026-10-01", "2026-11-01"];
  for (const [index, fileName] of files.entries()) {
    await enrolImage(context, { osfId: office.osfId, fileName, version: versions[index] });
  }
  await owner`update dis set state = 'ready', size_bytes = 812345678, sha256 = repeat('a', 64) where version <> '2026-11-01'`;
  await owner`update dis set state = 'failed', fault = 'The archive ends too early: it was cut off while it was sent.'
    where version = '2026-11-01'`;
  await moveTag(context, { diId: asId(2), tag: "default" });
  await moveTag(context, { diId: asId(1), tag: "previous" });
  return office.osfId;
}

async function seedDesktops(
  context: Context,
  owner: Owner,
  of: { readonly tenantId: TenantId; readonly osfId: OsfId },
): Promise<void> {
  const users: UserId[] = [];
  for (const [login, fullName] of PEOPLE) {
    const created = await createUser(context, deps, {
      tenantId: of.tenantId,
      login,
      fullName,
      password: PASSWORD,
    });
    users.push(created.userId);
  }
  for (const [index, state] of VM_STATES.entries()) {
    const userId = users[index % 4] ?? asId<UserId>(1);
    const { vmId } = await createVm(context, deps, {
      userId,
      osfId: of.osfId,
      name: `${PEOPLE[index % 4]?.[0]}-desk-${index + 1}`,
    });
    await seedReport(context, owner, { vmId, state });
  }
  const stopped = await createVm(context, deps, {
    userId: users[1] ?? asId<UserId>(1),
    osfId: of.osfId,
    name: "<b>bold</b>",
  });
  await owner`insert into vm_reports (vm_id, epoch, state, state_at, fault_code, fault_text) values (${stopped.vmId}, 1, 'stopped', now(),
    'image-broken', 'It could not be started 3 times: no image of office has the tag default.')`;
  await owner`update vms set is_blocked = true, blocked_reason = 'Under repair until Monday.' where id = ${stopped.vmId}`;
}

async function seedReport(
  context: Context,
  owner: Owner,
  of: { readonly vmId: VmId; readonly state: VmState },
): Promise<void> {
  const { vmId, state } = of;
  const isUp = state === "running" || state.startsWith("starting");
  if (isUp) await wishVmRunning(context, { vmId });
  await owner`update vms set node_id = 1, epoch = 1 where id = ${vmId}`;
  await owner`insert into vm_reports (vm_id, node_id, epoch, state, state_at, generation_seen, di_id, has_agent, x_state)
    values (${vmId}, 1, 1, ${state}, now() - interval '7 minutes', 1, ${state === "stopped" ? null : 2}, ${state === "running"},
      ${state === "running" ? "connected" : "none"})`;
  if (state !== "running") return;
  const steps: readonly (readonly [string, string])[] = [
    ["start-taken", "Taken by node-a: it has its turn."],
    ["disks-ready", "Image 2026-10-01 and home are mounted."],
    ["container-started", "The container was started with 2048 MB and 2 CPUs."],
    ["agent-connected", "Its agent answered after 1.2 s."],
    ["desktop-running", "All checks passed."],
    ["session-connected", "ann connected from 192.0.2.17."],
  ];
  for (const [code, text] of steps) {
    await owner`insert into vm_events (vm_id, node_id, code, text, wish_generation, actor)
      values (${vmId}, 1, ${code}, ${text}, 1, 'node:node-a')`;
  }
  await owner`insert into sessions (vm_id, user_id, client, slave_key, client_address, broker_worker, state, connected_at, bytes_to_client, bytes_from_client)
    select id, user_id, '{}', 'k', '192.0.2.17', '1', 'listening', now() - interval '5 minutes', 48123456, 912345 from vms where id = ${vmId}`;
}
