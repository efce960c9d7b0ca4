/** Visits that run: what ends them, as brokers and nodes read it with their own roles; and what a broker can't write. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";
import { mayOpenConsole, readVisit } from "../../src/db/queries/visits.ts";
import { administrators } from "../../src/db/schema/index.ts";
import type { AdministratorId, VisitId } from "../../src/domain/ids.ts";
import type { Context } from "../../src/service/context.ts";
import { beginSignIn } from "../../src/service/sign-in/begin.ts";
import { endSignIn } from "../../src/service/sign-in/end.ts";
import { admitVisit } from "../../src/service/visit/admit.ts";
import { askToWatch } from "../../src/service/visit/ask-to-watch.ts";
import { beginVisit } from "../../src/service/visit/begin.ts";
import { endVisit } from "../../src/service/visit/end-visit.ts";
import { openConsole } from "../../src/service/visit/open-console.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { type Seed, seedSite } from "../support/db-seed.ts";

const SYSTEM = { kind: "system", what: "test" } as const;
const BROKER = { kind: "system", what: "broker" } as const;
const randomToken = () => crypto.randomUUID();

let database: TestDatabase;
let owner: Db;
let broker: Db;
let seed: Seed;
let maria: AdministratorId;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = database.open("qvd_owner").orm;
  broker = database.open("qvd_broker").orm;
  seed = await seedSite(owner);
  const { vmId } = seed.alice;
  await owner.execute(sql`update osfs set hypervisor = 'kvm'`);
  await owner.execute(sql`update vms set node_id = ${seed.nodeId} where id = ${vmId}`);
  await owner.execute(sql`insert into vm_reports (vm_id, epoch, state) values (${vmId}, 1, 'running')`);
}, 60_000);
afterAll(() => database?.drop());
beforeEach(async () => {
  await owner.execute(sql`delete from visits`);
  await owner.execute(sql`delete from sessions`);
  await owner.execute(sql`delete from settings`);
  await owner.execute(sql`delete from administrators where login = 'maria'`);
  const [row] = await owner
    .insert(administrators)
    .values({ login: "maria" })
    .returning({ id: administrators.id });
  if (row !== undefined) maria = row.id;
  await owner.execute(
    sql`insert into administrator_roles select ${maria}, id from roles where name = 'administrator'`,
  );
});

type Begun = { readonly id: VisitId; readonly key: string; readonly signInToken: string };

async function asMaria(): Promise<Context & { readonly signInToken: string }> {
  const db = database.open("qvd_admin").orm;
  const signIn = await beginSignIn({ db, actor: SYSTEM }, { randomToken }, { administratorId: maria });
  return { db, actor: signIn.actor, signInToken: signIn.token };
}

async function openScreen(): Promise<Begun> {
  const { signInToken, ...context } = await asMaria();
  const { ticket } = await openConsole(context, { randomToken, signInToken }, { vmId: seed.alice.vmId });
  const begun = await beginVisit({ db: broker, actor: BROKER }, { ticket });
  if (begun === undefined) throw new Error("the visit did not begin");
  return { id: begun.visitId, key: begun.consoleKey ?? "", signInToken };
}

async function sit(access: "console" | "browser"): Promise<void> {
  const { vmId, userId } = seed.alice;
  await owner.execute(sql`update sessions set superseded_at = qvd_now()`);
  await owner.execute(sql`insert into sessions (vm_id, user_id, client, slave_key, broker_worker, access, state, connected_at)
    values (${vmId}, ${userId}, '{}', 'sitting', 'broker-1', ${access}, 'listening', qvd_now())`);
}

const endOf = async ({ id }: Begun) => (await readVisit(broker, id))?.end;
const opens = ({ key }: Begun) =>
  mayOpenConsole(database.open("qvd_node").orm, { nodeId: seed.nodeId, vmId: seed.alice.vmId, key });

describe("a console that an administrator sees", () => {
  test("stays while nothing changes, and when their sign-in merely runs out", async () => {
    const visit = await openScreen();
    expect([await endOf(visit), await opens(visit)]).toEqual([undefined, true]);
    await owner.execute(sql`update visits set sign_in_expires_at = qvd_now()`);
    await owner.execute(sql`delete from administrator_sessions`);
    expect([await endOf(visit), await opens(visit)]).toEqual([undefined, true]);
  });

  for (const [what, spoil] of [
    ["they are blocked", sql`update administrators set is_blocked = true where login = 'maria'`],
    ["they are removed", sql`delete from administrators where login = 'maria'`],
    [
      "they lose their role",
      sql`delete from administrator_roles where administrator_id = (select id from administrators where login = 'maria')`,
    ],
  ] as const)
    test(`is closed when ${what}, by the broker and at the node's door`, async () => {
      const visit = await openScreen();
      await owner.execute(spoil);
      expect([await endOf(visit), await opens(visit)]).toEqual(["right-lost", false]);
    });

  test("is closed when they sign out, and by nobody else's signing out", async () => {
    const other = await openScreen();
    const visit = await openScreen();
    await endSignIn(owner, visit.signInToken);
    expect([await endOf(visit), await opens(visit)]).toEqual(["signed-out", false]);
    expect([await endOf(other), await opens(other)]).toEqual([undefined, true]);
  });

  test("is closed when the machine's person comes to it", async () => {
    const visit = await openScreen();
    await sit("browser");
    expect(await endOf(visit)).toBeUndefined();
    await sit("console");
    expect([await endOf(visit), await opens(visit)]).toEqual(["person-came", false]);
    await owner.execute(sql`update sessions set ended_at = qvd_now()`);
    await endVisit({ db: broker, actor: BROKER }, { visitId: visit.id, cause: "person-came" });
    // Over is over, also when the person has left again.
    expect([await endOf(visit), await opens(visit)]).toEqual(["person-came", false]);
  });

  test("stays where nobody has to be asked", async () => {
    await owner.execute(sql`insert into settings (tenant_id, name, value)
      select tenant_id, 'vma.x11vnc.confirm.enabled', 'false' from vms where id = ${seed.alice.vmId}`);
    const visit = await openScreen();
    await sit("console");
    expect([await endOf(visit), await opens(visit)]).toEqual([undefined, true]);
  });
});

describe("a session that an administrator sees", () => {
  async function ask() {
    await sit("browser");
    const { signInToken, ...context } = await asMaria();
    return await askToWatch(context, { randomToken, signInToken }, { vmId: seed.alice.vmId });
  }
  const begin = (ticket: string) => beginVisit({ db: broker, actor: BROKER }, { ticket });

  test("is closed with the right to see it", async () => {
    const { ticket, visitId } = await ask();
    await begin(ticket);
    expect((await readVisit(broker, visitId))?.end).toBeUndefined();
    await owner.execute(sql`update administrators set is_blocked = true where login = 'maria'`);
    expect((await readVisit(broker, visitId))?.end).toBe("right-lost");
  });

  test("is admitted once, with a row in the audit log, and only after somebody came", async () => {
    const { ticket, visitId } = await ask();
    const asAlice = { db: broker, actor: seed.aliceActor, origin: "192.0.2.7" };
    const rows = () =>
      owner.execute(
        sql`select actor, origin, detail from audit_log where action = 'session.admit' order by id`,
      );
    const before = (await rows()).length;
    await admitVisit(asAlice, { visitId });
    expect((await readVisit(broker, visitId))?.isAdmitted).toBe(false);
    await begin(ticket);
    await admitVisit(asAlice, { visitId });
    await admitVisit(asAlice, { visitId });
    expect((await readVisit(broker, visitId))?.isAdmitted).toBe(true);
    expect([...(await rows())].slice(before)).toEqual([
      { actor: "user:alice@default", origin: "192.0.2.7", detail: { visitId } },
    ]);
    await expect(admitVisit({ db: broker, actor: seed.bobActor }, { visitId })).rejects.toMatchObject({
      code: "forbidden",
    });
  });
});

describe("a broker that was taken over", () => {
  test("begins nothing that nobody brought it", async () => {
    const { signInToken, ...context } = await asMaria();
    await openConsole(context, { randomToken, signInToken }, { vmId: seed.alice.vmId });
    const taken = database.open("qvd_broker").sql;
    for (const statement of [
      "update visits set began_at = qvd_now()",
      "update visits set ticket_hash = sha256('mine')",
      "update visits set admitted_at = qvd_now()",
      "select console_key from visits",
      "select ticket_hash from visits",
    ])
      await expect(taken.unsafe(statement).execute()).rejects.toThrow("permission denied");
    expect([...(await taken`select * from qvd_begin_visit('guessed', null)`)]).toEqual([]);
  });

  test("says yes in nobody's name who has left, and to nobody who came long ago", async () => {
    await sit("browser");
    const { signInToken, ...context } = await asMaria();
    const { ticket, visitId } = await askToWatch(
      context,
      { randomToken, signInToken },
      { vmId: seed.alice.vmId },
    );
    await beginVisit({ db: broker, actor: BROKER }, { ticket });
    const taken = database.open("qvd_broker").sql;
    const admits = async () => (await taken`select qvd_admit_visit(${visitId}, null) as done`)[0]?.done;
    await owner.execute(sql`update sessions set ended_at = qvd_now()`);
    expect(await admits()).toBe(false);
    await owner.execute(sql`update sessions set ended_at = null`);
    await owner.execute(sql`alter table visits disable trigger keep_visit`);
    await owner.execute(sql`update visits set began_at = began_at - interval '1 hour'`);
    await owner.execute(sql`alter table visits enable trigger keep_visit`);
    expect(await admits()).toBe(false);
  });
});
