/**
 * Every verb and who may call it, as one table: for each kind of actor the verb is called on alice's things, and
 * what it answers is compared. A verb that isn't here fails the last test.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Glob } from "bun";
import { eq, sql } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";
import { isPermissionRefused } from "../../src/db/errors.ts";
import { dis, diTags, sessions, vms } from "../../src/db/schema/index.ts";
import { PROCESS_ROLES, type ProcessRole } from "../../src/db/url.ts";
import type { Actor } from "../../src/domain/access/actor.ts";
import { isAppError } from "../../src/lib/errors.ts";
import type { Context } from "../../src/service/context.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { seedSite } from "../support/db-seed.ts";
import { type ActorName, type Scene, VERB_CASES } from "../support/verb-cases.ts";

const asSystem = (): Context => ({ db, actor: { kind: "system", what: "test" } });

let database: TestDatabase;
let db: Db;
let seed: Scene;
let processes: Readonly<Record<ProcessRole, Db>>;
let actors: Readonly<Record<ActorName, Actor>>;
beforeAll(async () => {
  database = await createTestDatabase();
  db = database.open("qvd_owner").orm;
  seed = { ...(await seedSite(db)), owner: db };
  processes = {
    qvd_node: database.open("qvd_node").orm,
    qvd_admin: database.open("qvd_admin").orm,
    qvd_auth: database.open("qvd_auth").orm,
    qvd_broker: database.open("qvd_broker").orm,
  };
  const foreign = await seedSite(db, { tenant: "acme" });
  actors = {
    site: seed.siteAdministrator,
    tenant: seed.tenantAdministrator,
    foreign: foreign.tenantAdministrator,
    powerless: { ...seed.siteAdministrator, acls: new Set(["vm.see-main."]) },
    owner: seed.aliceActor,
    stranger: seed.bobActor,
    vm: { kind: "vm", vmId: seed.alice.vmId },
    "other vm": { kind: "vm", vmId: seed.bob.vmId },
    node: { kind: "node", name: "default-node" },
  };
}, 120_000);
afterAll(() => database.drop());

const ACTORS: readonly ActorName[] = [
  "site",
  "tenant",
  "foreign",
  "powerless",
  "owner",
  "stranger",
  "vm",
  "other vm",
  "node",
];

let count = 0;
const outcomeOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => "done",
    (error) => (isAppError(error) ? error.code : `${error}`),
  );

describe.each(Object.entries(VERB_CASES))("%s", (_, one) => {
  const { prepare, call, also, site, roles = ["qvd_admin"] } = one;

  test.each([...ACTORS])("by %s is as the table of rights says", async (name) => {
    const isAllowed = also.includes(name) || (name === "site" && site !== false);
    await prepare?.(asSystem(), seed);
    const before = await snapshot();
    const outcome = await outcomeOf(call({ db, actor: actors[name] }, seed, `x${++count}`));
    const refusals = ["forbidden", "not-found"];
    expect(isAllowed ? ["done"] : refusals).toContain(outcome);
    if (!isAllowed) expect(await snapshot()).toEqual(before);
  });

  test("of another tenant's things looks as if there were none", async () => {
    const outcome = await outcomeOf(call({ db, actor: actors.foreign }, seed, `x${++count}`));
    // Where no tenant's administrator ever may, there is nothing to hide.
    expect(outcome).toBe(also.includes("tenant") ? "not-found" : "forbidden");
  });

  test.each([...PROCESS_ROLES])("in the process of %s is as its role's rights are", async (role) => {
    const context: Context = { db: processes[role], actor: { kind: "system", what: "test" } };
    await prepare?.(asSystem(), seed);
    const outcome = await call(context, seed, `x${++count}`).catch((error) => error);
    if (roles.includes(role)) expect(outcome).not.toBeInstanceOf(Error);
    else expect(isPermissionRefused(outcome)).toBe(true);
  });
});

/** What a refused verb may not have touched; things made by the case itself, as the system, don't count. */
async function snapshot() {
  const alice = await db.select().from(vms).where(eq(vms.id, seed.alice.vmId));
  const bob = await db.select().from(vms).where(eq(vms.id, seed.bob.vmId));
  const images = await db.select().from(dis).where(eq(dis.id, seed.diId));
  const tags = await db.select().from(diTags).where(eq(diTags.tag, "default"));
  const sittings = await db.$count(sessions);
  const audit = await db.execute(sql`select count(*)::int from audit_log where actor not like 'system:%'`);
  return { alice, bob, images, tags, sittings, audit };
}

test("the table has every verb", async () => {
  const helpers =
    /\/(find|find-subject|find-watched|issue|set-blocked|audit-vm|audit-administrator|audit-image|record-wish|record-request|wish-one|refuse-blocked|token|administrator-actor|end|list-ended|policy-input|expire-outdated|hand-on-tags|put-tags|take-ticket|user-actor)\.ts$/;
  const root = new URL("../../src/service", import.meta.url).pathname;
  const files = [...new Glob("*/*.ts").scanSync(root)].filter(
    (file) => !helpers.test(`/${file}`) && !file.endsWith(".test.ts"),
  );
  expect(files.map((file) => file.replace(/\.ts$/, "")).sort()).toEqual(Object.keys(VERB_CASES).sort());
});
