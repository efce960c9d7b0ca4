/** Sessions of brokers that are replaced: their end is announced, and of whichever broker is gone they are closed. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { createDatabaseStore } from "../../src/broker/database-store.ts";
import { asId, type NodeId, type SessionId, type UserId, type VmId } from "../../src/domain/ids.ts";
import { silentLog } from "../../src/lib/log.ts";
import { EndNotices } from "../../src/node/end-notices.ts";
import { NodeDatabase } from "../support/node-database.ts";

let rows: NodeDatabase;
let [nodeId, otherId]: NodeId[] = [];

beforeAll(async () => {
  rows = await NodeDatabase.create("10.218.0");
  [nodeId, otherId] = [await rows.addNode("one"), await rows.addNode("other")];
}, 30_000);
afterAll(() => rows.database.drop());

/** A session through a worker of node `one`, at a desktop of `node`. */
async function addSession(name: string, worker: string, node = nodeId): Promise<[VmId, SessionId]> {
  const vmId = await rows.addVm(name);
  await rows.owner.execute(sql`update vms set node_id = ${node ?? 0} where id = ${vmId}`);
  const id = await rows.requestSession(vmId);
  await rows.owner.execute(sql`update sessions set broker_node_id = ${nodeId ?? 0}, broker_worker = ${worker},
    connected_at = now() where id = ${id}`);
  return [vmId, id];
}

const storeOf = (worker: string, isGone?: (worker: string) => boolean) => {
  if (nodeId === undefined) throw new Error("no node");
  const db = rows.database.open("qvd_broker").orm;
  return createDatabaseStore({ db, nodeId, worker, ...(isGone && { isGone }) });
};
const endOf = async (id: SessionId) => {
  const found = await rows.owner.execute<{ left: number | null; cause: string | null }>(
    sql`select round(extract(epoch from ends_at - now()))::int as left, end_cause as cause from sessions where id = ${id}`,
  );
  return found[0];
};

test("a worker announces the end of its own sessions, and its first word counts", async () => {
  const [, own] = await addSession("own", "broker-1/10/20");
  const [, others] = await addSession("others", "broker-2/11/21");
  const store = storeOf("broker-1/10/20");
  await store.announceEnds(600_000, []);
  await store.announceEnds(900_000, []);
  expect((await endOf(own))?.left).toBeWithin(595, 601);
  expect(await endOf(others)).toEqual({ left: null, cause: null });
});

test("each node tells the people in its own desktops, once for each time", async () => {
  const worker = "broker-3/12/22";
  const [here] = await addSession("here", worker);
  const [there] = await addSession("there", worker, otherId);
  await addSession("stays", "broker-4/13/23");
  await storeOf(worker).announceEnds(290_000, []);
  for (const [node, vmId] of [
    [nodeId, here],
    [otherId, there],
  ] as const) {
    if (node === undefined) throw new Error("no node");
    const told: (readonly [VmId, string])[] = [];
    const notify = async (to: VmId, text: string) => {
      told.push([to, text]);
      throw new Error("nobody there who could show it");
    };
    const notices = new EndNotices({ db: rows.node, nodeId: node, channels: { notify }, log: silentLog() });
    await notices.look();
    await notices.look();
    const mine = told.filter(([to]) => to === here || to === there);
    expect(mine).toEqual([[vmId, expect.stringContaining("in 5 minutes")]]);
  }
});

test("a session that another box's worker relays ends when that says so, and is told as such", async () => {
  const near = storeOf("broker-1/10/20");
  const far = createDatabaseStore({
    db: rows.database.open("qvd_broker").orm,
    nodeId: otherId ?? asId<NodeId>(0),
    worker: "broker-1/90/91",
  });
  const end = { cause: "desktop-closed", bytesToClient: 1, bytesFromClient: 1 };
  const [, relayed] = await addSession("relayed", "broker-1/10/20", otherId);
  await near.announceEnds(900_000, []);
  for (const [inMs, leftSeconds] of [
    [600_000, 600],
    [300_000, 300],
    [700_000, 300],
    [0, 0],
  ] as const) {
    await far.announceEnds(inMs, [relayed]);
    expect((await endOf(relayed))?.left).toBeWithin(leftSeconds - 10, leftSeconds + 1);
  }
  await near.recordEnded(relayed, end);
  expect((await endOf(relayed))?.cause).toBe("broker-replaced");
  const [, unsaid] = await addSession("unsaid", "broker-1/10/20", otherId);
  const [, local] = await addSession("local", "broker-1/10/20");
  await near.announceEnds(900_000, []);
  await far.announceEnds(0, [local]);
  for (const id of [unsaid, local]) {
    await near.recordEnded(id, end);
    expect((await endOf(id))?.cause).toBe("desktop-closed");
  }
});

test("a session breaks off with another box's worker that led to its desktop, where the X session waits", async () => {
  const store = storeOf("broker-1/10/20");
  const cases = [
    { of: "far", node: otherId, xState: "suspended", access: "nx", cause: "broker-lost" },
    { of: "over", node: otherId, xState: "stopping", access: "nx", cause: "desktop-closed" },
    { of: "near", node: nodeId, xState: "suspended", access: "nx", cause: "desktop-closed" },
    { of: "screen", node: otherId, xState: "suspended", access: "browser", cause: "desktop-closed" },
  ];
  for (const { of, node, xState, access, cause } of cases) {
    const [vmId, id] = await addSession(of, "broker-1/10/20", node);
    await rows.owner.execute(sql`update sessions set access = ${access}, slave_key = ${of} where id = ${id}`);
    await rows.owner.execute(sql`insert into vm_reports (vm_id, node_id, epoch, state, x_state)
      values (${vmId}, ${node ?? 0}, 1, 'running', ${xState})`);
    await store.recordEnded(id, { cause: "desktop-closed", bytesToClient: 1, bytesFromClient: 1 });
    const [row] = await rows.owner.execute<{ user_id: number }>(
      sql`select user_id from sessions where id = ${id}`,
    );
    // Its client asks before the second look.
    const known = { vmId, userId: asId<UserId>(Number(row?.user_id)), slaveKey: of };
    expect([of, await store.readEnd(known)]).toEqual([of, { cause }]);
    await store.recordSecondLook(id);
    expect([of, await endOf(id)]).toMatchObject([of, { cause }]);
  }
});

test("whoever looks closes what workers that are gone left open, and nothing else", async () => {
  const [, left] = await addSession("left", "broker-1/77/88");
  const [, older] = await addSession("older", "broker-1");
  const [, living] = await addSession("living", "broker-1/78/89");
  const isGone = (worker: string) => worker === "broker-1/77/88" || worker === "broker-1";
  expect(await storeOf("broker-9/1/1", isGone).closeOrphans()).toBe(2);
  expect((await endOf(left))?.cause).toBe("broker-lost");
  expect((await endOf(older))?.cause).toBe("broker-lost");
  expect((await endOf(living))?.cause).toBeNull();
});
