/** Who could sign in at a provider before its word had to be in a chain still can after the upgrade. */

import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { MIGRATIONS } from "../../migrations/index.ts";
import { planChain } from "../../src/auth/chain/plan-chain.ts";
import type { Database } from "../../src/db/client.ts";
import { migrate } from "../../src/db/migrate.ts";
import { listSettings } from "../../src/db/queries/settings.ts";
import type { TenantId } from "../../src/domain/ids.ts";
import { SITE, settingValues } from "../../src/domain/setting/resolve.ts";
import { createEmptyDatabase, type TestDatabase } from "../support/cluster.ts";

const BEFORE = MIGRATIONS.filter(({ number }) => number < 9);
const ISSUER = "https://login.example.org";
const TENANTS = ["sales", "lab"] as const;

let database: TestDatabase;
let owner: Database;
let ids: Readonly<Record<string, TenantId>>;

beforeAll(async () => {
  database = await createEmptyDatabase();
  owner = database.open("qvd_owner");
  await migrate(database.address("qvd_owner"), { migrations: BEFORE });
  const rows = await owner.sql<{ id: TenantId; name: string }[]>`
    insert into tenants (name) values ('sales'), ('lab') returning id, name`;
  ids = Object.fromEntries([["site", SITE], ...rows.map(({ id, name }) => [name, id])]);
}, 120_000);
afterAll(() => database.drop());

beforeEach(async () => {
  await owner.sql`delete from settings`;
  await owner.sql`delete from audit_log`;
  await owner.sql`delete from schema_migrations where number >= 9`;
});

type Settings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

async function upgrade(given: Settings): Promise<Readonly<Record<string, readonly string[]>>> {
  for (const [of, values] of Object.entries(given))
    for (const [name, value] of Object.entries(values))
      await owner.sql`insert into settings (tenant_id, name, value) values (${ids[of] ?? SITE}, ${name}, ${JSON.stringify(value)}::text::jsonb)`;
  await migrate(database.address("qvd_owner"), { migrations: [...BEFORE, ...MIGRATIONS.slice(8, 9)] });
  return await readChains();
}

async function readChains(): Promise<Readonly<Record<string, readonly string[]>>> {
  const chains: [string, readonly string[]][] = [];
  for (const name of TENANTS) {
    const tenantId = ids[name] ?? SITE;
    const values = settingValues(await listSettings(owner.orm, tenantId), tenantId);
    chains.push([name, planChain("user", values).filter((word) => word !== "totp")]);
  }
  return Object.fromEntries(chains);
}

const OF_SITE = { "auth.oidc.issuer": ISSUER };

const CASES: readonly (readonly [string, Settings, Readonly<Record<string, readonly string[]>>])[] = [
  ["nobody has a provider", {}, { sales: ["local"], lab: ["local"] }],
  ["the site has one", { site: OF_SITE }, { sales: ["local", "oidc"], lab: ["local", "oidc"] }],
  [
    "the site has one, and chains of its own",
    { site: { ...OF_SITE, "l7r.auth.plugins": ["auto"], "l7r.auth.plugins.tail": ["ldap"] } },
    { sales: ["auto", "ldap", "oidc"], lab: ["auto", "ldap", "oidc"] },
  ],
  ["one tenant has one", { sales: OF_SITE }, { sales: ["oidc", "local"], lab: ["local"] }],
  [
    "one tenant has one, and the site a chain",
    { site: { "l7r.auth.plugins": ["ldap"] }, sales: OF_SITE },
    { sales: ["ldap", "oidc", "local"], lab: ["ldap", "local"] },
  ],
  [
    "two tenants have one each, and one of them a chain",
    { sales: OF_SITE, lab: { ...OF_SITE, "l7r.auth.plugins": ["auto"] } },
    { sales: ["oidc", "local"], lab: ["auto", "oidc", "local"] },
  ],
  [
    "somebody has put the word into a chain already",
    { site: OF_SITE, lab: { "l7r.auth.plugins": ["oidc"] } },
    { sales: ["local"], lab: ["oidc", "local"] },
  ],
  [
    "a provider was set and emptied",
    { sales: { "auth.oidc.issuer": "" } },
    { sales: ["local"], lab: ["local"] },
  ],
];

test.each(CASES)("the upgrade keeps sign-in at the provider as it was: %s", async (_name, given, chains) => {
  expect(await upgrade(given)).toEqual(chains);
});

test("the upgrade says in the audit log what it set, and does it once", async () => {
  const chains = await upgrade({ sales: OF_SITE });
  await owner.sql.unsafe(MIGRATIONS[8]?.text ?? "");
  expect(await readChains()).toEqual(chains);
  const rows = await owner.sql`select tenant_id, actor, action, subject_name, detail from audit_log`;
  expect([...rows]).toEqual([
    {
      tenant_id: ids.sales,
      actor: "system:upgrade",
      action: "setting.change",
      subject_name: "l7r.auth.plugins",
      detail: { tenant: "sales", value: ["oidc"] },
    },
  ]);
});
