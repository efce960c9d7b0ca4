/** Site settings through the API and its verbs: whose value holds, who may change it, and that a secret is sealed. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import nacl from "tweetnacl";
import { z } from "zod";
import { SettingShape } from "../../src/admin/api/shapes.ts";
import type { Db } from "../../src/db/client.ts";
import { listAudit } from "../../src/db/queries/audit.ts";
import { listSettings } from "../../src/db/queries/settings.ts";
import { settingValues } from "../../src/domain/setting/resolve.ts";
import { secretUse } from "../../src/domain/setting/secret-use.ts";
import { openSecret, sealSecret } from "../../src/wire/setting/sealed-secret.ts";
import { type AdminApp, askApi, createAdminApp, type SignedInAs } from "../support/admin-app.ts";

const keys = nacl.box.keyPair();
let admin: AdminApp;
let owner: ReturnType<AdminApp["database"]["open"]>["sql"];
let ownerDb: Db;
let site: SignedInAs;
let acme: SignedInAs;

beforeAll(async () => {
  admin = await createAdminApp({
    sealSecret: async (use, secret) => sealSecret(keys.publicKey, use, secret),
  });
  const opened = admin.database.open("qvd_owner");
  owner = opened.sql;
  ownerDb = opened.orm;
  site = await admin.signIn("admin");
  acme = await admin.signIn("acme-admin");
});
afterAll(() => admin.stop());

const put = (name: string, value: unknown, as = site, tenant?: string) =>
  askApi(admin, { method: "PUT", path: `/settings/${name}`, body: { value, tenant } }, as);

async function get(name: string, as = site, tenant = "") {
  const answer = await askApi(admin, { method: "GET", path: `/settings?tenant=${tenant}` }, as);
  return z
    .array(SettingShape)
    .parse(await answer.json())
    .find((setting) => setting.name === name);
}

describe("a setting", () => {
  test("of the site holds for tenants until they have their own, and again when that is unset", async () => {
    expect((await put("auth.ldap.filter", "(mail=%u)")).status).toBe(204);
    expect(await get("auth.ldap.filter", acme)).toMatchObject({ value: "(mail=%u)", source: "site" });
    expect((await put("auth.ldap.filter", "(cn=%u)", acme)).status).toBe(204);
    expect(await get("auth.ldap.filter", site, "acme")).toMatchObject({ value: "(cn=%u)", source: "tenant" });
    expect(await get("auth.ldap.filter", site, "default")).toMatchObject({ value: "(mail=%u)" });
    const unset = { method: "DELETE", path: "/settings/auth.ldap.filter" };
    expect((await askApi(admin, unset, acme)).status).toBe(204);
    expect(await get("auth.ldap.filter", acme)).toMatchObject({ value: "(mail=%u)", source: "site" });
    expect((await askApi(admin, unset, acme)).status).toBe(404);
  });

  test("is kept by its kind, and each change is in the audit log", async () => {
    await put("auth.ldap.starttls", false);
    await put("auth.auto.max_vms", 3);
    await put("l7r.auth.plugins", "auto, ldap", site, "acme");
    const rows = await owner`select name, value, tenant_id > 0 as is_own from settings order by name`;
    expect(rows.map(({ name, value, is_own }) => [name, value, is_own])).toEqual([
      ["auth.auto.max_vms", 3, false],
      ["auth.ldap.filter", "(mail=%u)", false],
      ["auth.ldap.starttls", false, false],
      ["l7r.auth.plugins", ["auto", "ldap"], true],
    ]);
    const [last] = await listAudit(admin.database.open("qvd_admin").orm, { limit: 1 });
    expect(last).toMatchObject({
      action: "setting.change",
      subjectName: "l7r.auth.plugins",
      detail: { tenant: "acme", value: ["auto", "ldap"] },
    });
  });

  test("that can't be is refused with the reason, and nothing is written", async () => {
    const refused: [name: string, value: unknown, status: number, as?: SignedInAs, tenant?: string][] = [
      ["auth.ldap.scope", "tree", 422],
      ["no.such.setting", "x", 404],
      ["auth.policy", "forbid", 422],
      ["auth.ldap.host", { a: 1 }, 422],
      ["l7r.auth.plugins.tail", "ldap", 422, site, "acme"],
      ["auth.ldap.filter", "(a=b)", 404, site, "nobody"],
      ["auth.ldap.filter", "(a=b)", 404, site, "*"],
      ["auth.ldap.filter", "(a=b)", 404, acme, "default"],
      ["l7r.auth.plugins.tail", "ldap", 422, acme],
    ];
    const count = async () => Number((await owner`select count(*) n from settings`)[0]?.n);
    const before = await count();
    for (const [name, value, status, as, tenant] of refused)
      expect({ name, status: (await put(name, value, as, tenant)).status }).toEqual({ name, status });
    expect(await count()).toBe(before);
  });
});

describe("a secret", () => {
  test("is shown to nobody, lies sealed in the database, and opens for auth alone", async () => {
    await put("auth.ldap.host", "ldaps://dc.example", site, "acme");
    expect((await put("auth.ldap.bindpass", "hunter2!", site, "acme")).status).toBe(204);
    expect(await get("auth.ldap.bindpass", acme)).toMatchObject({ value: "", isSet: true, source: "tenant" });
    const everything =
      await owner`select value::text from settings union all select detail::text from audit_log`;
    expect(JSON.stringify(everything)).not.toContain("hunter2");
    const [{ id = 0 } = {}] = await owner`select id from tenants where name = 'acme'`;
    const read = async () => settingValues(await listSettings(ownerDb, id), id);
    const values = await read();
    const sealed = values["auth.ldap.bindpass"];
    if (sealed === undefined) throw new Error("not there");
    expect(openSecret(keys.secretKey, secretUse("auth.ldap.bindpass", values), sealed)).toBe("hunter2!");
    // Another server would get it: whoever may name one need not know it.
    await put("auth.ldap.host", "ldaps://mine.example", acme);
    const moved = secretUse("auth.ldap.bindpass", await read());
    expect(() => openSecret(keys.secretKey, moved, sealed)).toThrow("another value of auth.ldap.host");
  });

  test("is not emptied by an empty text", async () => {
    expect((await put("auth.ldap.bindpass", "", acme)).status).toBe(422);
    expect(await get("auth.ldap.bindpass", acme)).toMatchObject({ isSet: true });
  });
});
