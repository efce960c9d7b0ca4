/** What reaches a desktop of what a client said, through the database as the node's role reads it. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";
import { readSessionParts } from "../../src/db/queries/session-parts.ts";
import { asId, type SessionId } from "../../src/domain/ids.ts";
import {
  chooseClientParameters,
  composeClientParameters,
} from "../../src/domain/session/client-parameters.ts";
import type { Context } from "../../src/service/context.ts";
import { changeOsf } from "../../src/service/osf/change.ts";
import { setProperty } from "../../src/service/property/set.ts";
import { requestSession } from "../../src/service/session/request.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { type Seed, seedSite } from "../support/db-seed.ts";

let database: TestDatabase;
let owner: Db;
let node: Db;
let seed: Seed;
let site: Context;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = database.open("qvd_owner").orm;
  node = database.open("qvd_node").orm;
  seed = await seedSite(owner);
  site = { db: database.open("qvd_admin").orm, actor: seed.siteAdministrator };
}, 120_000);
afterAll(() => database.drop());

const SAID = {
  "qvd.client.keyboard": "pc105/es",
  "qvd.client.link": "lan",
  "qvd.client.geometry": "800x600",
  "custom.desk": "17",
};

/** Asks as alice's client would, and returns what her desktop would be told. */
async function ask(
  said: Readonly<Record<string, string>>,
  parameters: Readonly<Record<string, string>> = {},
) {
  const { alice } = seed;
  const broker: Context = { db: database.open("qvd_broker").orm, actor: seed.aliceActor };
  const client = chooseClientParameters(new Map(Object.entries(said)));
  const { vmId } = alice;
  const wish = { vmId, client, parameters, slaveKey: "k", brokerWorker: "w" };
  const { sessionId } = await requestSession(broker, wish);
  const parts = await readSessionParts(node, { vmId, tenantId: seed.tenantId, sessionId });
  const [row] = await node.execute<{ client: typeof client }>(
    sql`select client from sessions where id = ${sessionId}`,
  );
  return { parts, told: composeClientParameters({ client: row?.client ?? client, ...parts }) };
}

test("a client's own word, where nobody says otherwise", async () => {
  const { told, parts } = await ask(SAID);
  expect(told).toMatchObject({ keyboard: "pc105/es", link: "lan", geometry: "800x600" });
  expect(told.given).toEqual(SAID);
  expect(parts.program).toBeNull();
});

test("properties go over it, the desktop's over all others; an authenticator's word over those", async () => {
  const key = "qvd.client.link";
  const levels = [
    ["osf", seed.osfId, "modem"],
    ["image", seed.diId, "isdn"],
    ["user", seed.alice.userId, "adsl"],
    ["vm", seed.alice.vmId, "wan"],
  ] as const;
  for (const [kind, id, value] of levels) {
    await setProperty(site, { kind, id, key, value });
    expect((await ask(SAID)).told.link).toBe(value);
  }
  expect((await ask(SAID, { [key]: "local" })).told.link).toBe("local");
});

test("the site's settings speak for clients that say nothing, a tenant's over them", async () => {
  const set = (tenantId: number, name: string, value: string) =>
    owner.execute(
      sql`insert into settings (tenant_id, name, value) values (${tenantId}, ${name}, to_jsonb(${value}::text))`,
    );
  await set(-1, "vma.default.client.keyboard", "pc105/pt");
  await set(-1, "vma.default.client.timezone", "Europe/Lisbon");
  await set(seed.tenantId, "vma.default.client.timezone", "Atlantic/Azores");
  await set(seed.tenantId, "vma.default.client.browser.server", "nx");
  const silent = (await ask({})).told;
  expect(silent.keyboard).toBe("pc105/pt");
  expect(silent.given?.["qvd.client.timezone"]).toBe("Atlantic/Azores");
  expect(silent.given?.["qvd.client.browser.server"]).toBe("nx");
  expect((await ask(SAID)).told.keyboard).toBe("pc105/es");
});

test("an application's program comes with its session", async () => {
  await changeOsf(site, { osfId: seed.osfId, isApplication: true, program: "xterm -maximized" });
  expect((await ask(SAID)).parts.program).toBe("xterm -maximized");
});

test("a sitting that is gone costs only what its authenticator said", async () => {
  const gone = asId<SessionId>(99_999);
  const parts = await readSessionParts(node, {
    vmId: seed.alice.vmId,
    tenantId: seed.tenantId,
    sessionId: gone,
  });
  expect(parts).toMatchObject({ parameters: {}, program: "xterm -maximized" });
});
