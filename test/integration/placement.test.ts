/** Placement through the database: what nodes and desktops look like to it, and what it leaves in trail and audit. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { listPlacementNodes } from "../../src/db/queries/placement.ts";
import { listUnplacedVms } from "../../src/db/queries/unplaced-vms.ts";
import type { NodeId, VmId } from "../../src/domain/ids.ts";
import { PLACEMENT_POLICIES } from "../../src/domain/node/placement-policy.ts";
import { createLog } from "../../src/lib/log.ts";
import { placeDesktops } from "../../src/node/place-desktops.ts";
import { NodeDatabase } from "../support/node-database.ts";

let rows: NodeDatabase;
let one: NodeId;
let two: NodeId;
const log = createLog({ level: "error", write: () => {}, now: () => new Date(0) });
const place = () => placeDesktops({ db: rows.node, node: { nodeId: one, name: "one" }, log });
const run = (statement: ReturnType<typeof sql>) => rows.owner.execute(statement);
const nodeOf = async (vmId: VmId) =>
  (await rows.owner.execute<{ node_id: number | null }>(sql`select node_id from vms where id = ${vmId}`))[0]
    ?.node_id;

async function addUnplaced(name: string): Promise<VmId> {
  const vmId = await rows.addVm(name);
  await run(sql`update vms set node_id = null, wish = 'running', wished_at = qvd_now() where id = ${vmId}`);
  return vmId;
}

beforeAll(async () => {
  rows = await NodeDatabase.create("10.91.0");
  one = await rows.addNode("one");
  two = await rows.addNode("two");
});
afterAll(() => rows.database.drop());

describe("placement through the database", () => {
  test("gives unplaced desktops to nodes in one go, each with its audit row and a new epoch", async () => {
    const vmIds = await Promise.all(["a", "b", "c", "d"].map((name) => addUnplaced(name)));
    expect([...(await place())].sort()).toEqual([...vmIds].sort());
    const nodes = await Promise.all(vmIds.map(nodeOf));
    expect(nodes.filter((id) => id === one)).toHaveLength(2);
    expect(nodes.filter((id) => id === two)).toHaveLength(2);
    const audit = await run(
      sql`select subject_id, detail from audit_log where action = 'vm.place' order by id`,
    );
    expect(audit.map((row) => Number(row.subject_id)).sort()).toEqual(vmIds.map(Number).sort());
    expect(await place()).toEqual([]);
  });

  test("keeps a desktop where its home lies, and says so for each other node", async () => {
    const vmId = await addUnplaced("homely");
    await run(
      sql`insert into vm_reports (vm_id, node_id, epoch, state) values (${vmId}, ${two}, 1, 'stopped')`,
    );
    await run(sql`update nodes set is_blocked = true where id = ${two}`);
    expect(await place()).toEqual([]);
    expect(await place()).toEqual([]);
    const trail = await run(
      sql`select text, detail from vm_events where vm_id = ${vmId} and code = 'placement-refused'`,
    );
    expect([...trail]).toEqual([
      {
        text: "No node can take it (without the storage on which its home lies (that of two): one; blocked: two).",
        detail: {
          candidates: [
            { node: "one", reason: "its home lies on two, whose storage is not shared" },
            { node: "two", reason: "it is blocked" },
          ],
        },
      },
    ]);
    await run(sql`update nodes set shared_id = 'nfs'`);
    expect(await place()).toEqual([vmId]);
    expect(await nodeOf(vmId)).toBe(one);
    await run(sql`update nodes set shared_id = null, is_blocked = false`);
  });

  test("lets a desktop that keeps nothing go anywhere", async () => {
    const vmId = await addUnplaced("light");
    await run(
      sql`insert into vm_reports (vm_id, node_id, epoch, state) values (${vmId}, ${two}, 1, 'stopped')`,
    );
    await run(sql`update osfs set persistence = 'nothing'`);
    expect((await listUnplacedVms(rows.node)).map(({ home }) => home)).toEqual([undefined]);
    await run(sql`update osfs set persistence = 'home'`);
    expect((await listUnplacedVms(rows.node)).map(({ home }) => home)).toEqual([
      { nodeId: two, nodeName: "two", sharedId: null },
    ]);
    await run(sql`update vms set wish = 'stopped' where id = ${vmId}`);
  });

  test("tells a lost node from one that was stopped", async () => {
    const three = await rows.addNode("three");
    await run(sql`update leases set valid_until = qvd_now() - interval '1 s' where node_id = ${three}`);
    const read = async () => (await listPlacementNodes(rows.node)).find(({ nodeId }) => nodeId === three);
    expect(await read()).toMatchObject({ isUp: false, isLost: true });
    await run(sql`update node_reports set state = 'stopped' where node_id = ${three}`);
    expect(await read()).toMatchObject({ isUp: false, isLost: false });
    await run(sql`delete from nodes where id = ${three}`);
  });

  test("goes on to those behind thousands that nobody takes", async () => {
    await run(sql`update vms set wish = 'stopped'`);
    const stuck = await addUnplaced("stuck");
    await run(sql`update osfs set memory_mb = 1000000 where id = ${rows.osfId}`);
    await run(sql`insert into vms (tenant_id, user_id, osf_id, di_tag, name, address, id_slot, wish, wished_at)
      select v.tenant_id, v.user_id, v.osf_id, v.di_tag, 'crowd-' || n, ('10.91.' || (100 + n / 250) || '.' || (n % 250))::inet,
        1000 + n, 'running', qvd_now()
      from vms v, generate_series(1, 2100) n where v.id = ${stuck}`);
    await run(
      sql`insert into osfs (tenant_id, name, memory_mb) select tenant_id, 'small', 512 from osfs where id = ${rows.osfId}`,
    );
    const last = await addUnplaced("last");
    await run(sql`update vms set osf_id = (select id from osfs where name = 'small'), wished_at = qvd_now() + interval '1 s'
      where id = ${last}`);
    const policy = PLACEMENT_POLICIES["fill-up"];
    const options = { policy };
    expect(await placeDesktops({ db: rows.node, node: { nodeId: one, name: "one" }, log, options })).toEqual([
      last,
    ]);
    const [told] = await run(
      sql`select count(distinct vm_id)::int as n from vm_events where code = 'placement-refused'`,
    );
    expect(told?.n).toBe(2102);
  });
});
