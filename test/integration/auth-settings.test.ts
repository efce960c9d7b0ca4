/** Settings of how logins are read, and of what a first sign-in makes: what they do at the auth socket. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { hashPassword } from "../../src/auth/password.ts";
import { settings, vms } from "../../src/db/schema/index.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createTenant } from "../../src/service/tenant/create.ts";
import { createUser } from "../../src/service/user/create.ts";
import { type AuthSite, openAuthSite, setSiteSetting } from "../support/auth-site.ts";
import { SEED_PASSWORD, SEED_RANGE } from "../support/db-seed.ts";

const never = new AbortController().signal;
let site: AuthSite;

beforeAll(async () => {
  site = await openAuthSite();
  await addPerson("acme", "alice");
}, 120_000);
afterEach(async () => {
  await owner().delete(settings);
});
afterAll(() => site.stop());

const owner = () => site.database.open("qvd_owner").orm;

/** Without a desktop. */
async function addPerson(tenant: "acme" | "default", login: string) {
  const context = { db: owner(), actor: { kind: "system", what: "test" } } as const;
  const { tenantId } = tenant === "default" ? site.seed : await createTenant(context, { name: tenant });
  const deps = { hashPassword, networkRange: SEED_RANGE };
  return await createUser(context, deps, { tenantId, login, password: SEED_PASSWORD });
}

/** The tenant as whose person somebody is taken, or what else became of it. */
async function tenantOf(login: string): Promise<string> {
  const proof = { kind: "password", password: SEED_PASSWORD } as const;
  const answer = await site.auth.verify({ kind: "user", login, proof, origin: crypto.randomUUID() }, never);
  return answer.outcome === "accepted" ? answer.tenantName : answer.outcome;
}

/** The rules of names are kept for two seconds. */
async function becomes(login: string, tenant: string): Promise<void> {
  const isSo = async () => (await tenantOf(login)) === tenant;
  expect(await waitFor(isSo, { timeoutMs: 15_000, everyMs: 300 }), `${login} of ${tenant}`).toBe(true);
}

describe("a login", () => {
  test("that names no tenant is of the site's default one", async () => {
    await becomes("alice", "default");
    await setSiteSetting(site.database, "l7r.auth.plugin.default.tenant", "acme");
    await becomes("alice", "acme");
    expect(await tenantOf("alice@default")).toBe("default");
    expect(await tenantOf("bob")).toBe("denied");
  }, 40_000);

  test("is parted from its tenant by the site's separators alone", async () => {
    await becomes("alice#acme", "acme");
    await setSiteSetting(site.database, "l7r.auth.plugin.default.separators", "+%");
    await becomes("alice+acme", "acme");
    expect(await tenantOf("alice%acme")).toBe("acme");
    for (const login of ["alice@acme", "alice#acme", "alice@default"])
      expect(await tenantOf(login)).toBe("denied");
  }, 40_000);
});

test("the desktop of a first sign-in runs the image of the tag that is set", async () => {
  const { userId } = await addPerson("default", "carol");
  const values = {
    "l7r.auth.plugins": ["auto"],
    "auth.auto.osf_id": Number(site.seed.osfId),
    "auth.auto.di_tag": "beta",
  };
  for (const [name, value] of Object.entries(values)) await setSiteSetting(site.database, name, value);
  await becomes("carol", "default");
  const made = await owner().select().from(vms).where(eq(vms.userId, userId));
  expect(made).toMatchObject([{ name: "carol-1", diTag: "beta", osfId: site.seed.osfId }]);
}, 40_000);
