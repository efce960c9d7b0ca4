/** The pages and the API of settings: what is shown, what a form changes, and who may. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { listAudit } from "../../src/db/queries/audit.ts";
import { SETTING_NAMES, specOf } from "../../src/domain/setting/registry.ts";
import {
  type AdminApp,
  askApi,
  createAdminApp,
  getPage,
  postForm,
  type SignedInAs,
} from "../support/admin-app.ts";

let admin: AdminApp;
let owner: ReturnType<AdminApp["database"]["open"]>["sql"];
let site: SignedInAs;
let acme: SignedInAs;

beforeAll(async () => {
  admin = await createAdminApp();
  owner = admin.database.open("qvd_owner").sql;
  site = await admin.signIn("admin");
  acme = await admin.signIn("acme-admin");
});
afterAll(() => admin.stop());

const html = async (path: string, as = site) => (await getPage(admin, path, as)).text();
const stored = async () => {
  const rows = await owner`
    select t.name as tenant, s.name, s.value from settings s join tenants t on t.id = s.tenant_id order by s.name, t.name`;
  return rows.map(({ tenant, name, value }) => [tenant, name, value]);
};

describe("the page of settings", () => {
  test("shows each of them by its name, on one part or the other", async () => {
    const text = (await html("/settings")) + (await html("/settings?part=other"));
    for (const name of SETTING_NAMES) expect(text).toContain(name);
  });

  test("has a field for each in the form of its group", async () => {
    for (const name of SETTING_NAMES)
      expect(await html(`/settings/${specOf(name).group}/change`)).toContain(`name="${name}"`);
  });

  test("shows a tenant's administrators their own, and nobody else's", async () => {
    expect(await html("/settings", acme)).toContain("Settings of acme");
    expect((await getPage(admin, "/settings?tenant=default", acme)).status).toBe(404);
    expect(await html("/settings", acme)).not.toContain("/settings?tenant=default");
    expect(await html("/settings/names/change", acme)).not.toContain("l7r.auth.plugin.default.salt");
  });
});

describe("a form of settings", () => {
  test("changes what was typed, and nothing else", async () => {
    const fields = { "auth.auto.osf_id": "7", "auth.auto.di_tag": "default", "auth.auto.max_vms": "5" };
    const response = await postForm(admin, "/settings/auto/change?tenant=acme", site, fields);
    expect(response.status).toBe(303);
    expect(response.headers.get("Location")).toBe("/settings?tenant=acme#group-auto");
    expect(await stored()).toEqual([["acme", "auth.auto.osf_id", 7]]);
    expect(await html("/settings?tenant=acme")).toContain(">tenant<");
  });

  test("that is refused comes back with what was typed, and changes nothing", async () => {
    const before = await stored();
    const fields = { "auth.auto.osf_id": "8", "auth.auto.di_tag": "-x", "auth.auto.max_vms": "5" };
    const response = await postForm(admin, "/settings/auto/change?tenant=acme", site, fields);
    expect(response.status).toBe(422);
    const text = await response.text();
    expect(text).toContain('value="-x"');
    expect(text).toContain("auth.auto.di_tag-error");
    expect(await stored()).toEqual(before);
  });

  test("keeps a secret that is left empty, shows none, and says when it must be typed again", async () => {
    const path = "/settings/directory/change";
    const host = { "auth.ldap.host": "ldaps://a", "auth.ldap.bindpass": "typed secret" };
    expect((await postForm(admin, path, acme, host)).status).toBe(303);
    const [, bindpass] = (await stored()).filter(([, name]) => String(name).startsWith("auth.ldap"));
    expect(bindpass).toBeDefined();
    expect(await html(path, acme)).not.toContain("typed secret");
    const again = { "auth.ldap.host": "ldaps://b", "auth.ldap.bindpass": "" };
    const moved = await postForm(admin, path, acme, again);
    expect(decodeURIComponent(moved.headers.get("Set-Cookie") ?? "")).toContain("auth.ldap.bindpass");
    const refused = await postForm(admin, path, acme, {
      ...{ "auth.ldap.bindpass": "typed secret", "auth.ldap.timeout": "0" },
    });
    expect(refused.status).toBe(422);
    expect(await refused.text()).not.toContain("typed secret");
  });

  test("of the site is the site's administrators' alone", async () => {
    const before = await stored();
    const answer = await postForm(admin, "/settings/chain/change?tenant=default", acme, {
      "l7r.auth.plugins": "ldap",
    });
    expect(answer.status).toBe(404);
    const unset = await postForm(admin, "/settings/unset", acme, {
      name: "l7r.auth.plugins",
      tenant: "default",
    });
    expect(unset.status).toBe(404);
    expect(await stored()).toEqual(before);
  });

  test("goes back to the site's value by a button", async () => {
    const fields = { name: "auth.auto.osf_id", tenant: "acme" };
    expect((await postForm(admin, "/settings/unset", site, fields)).status).toBe(303);
    expect((await stored()).map(([, name]) => name)).not.toContain("auth.auto.osf_id");
  });
});

describe("who is slowed down", () => {
  test("is shown to the site's administrators, and to a tenant's their own", async () => {
    const all = await html("/settings/slowed");
    for (const text of ["192.0.2.17", "carla@default", "wrong codes of a second factor"])
      expect(all).toContain(text);
    const own = await html("/settings/slowed", acme);
    expect(own).toContain("eve@acme");
    expect(own).not.toContain("192.0.2.17");
  });

  test("is forgotten by who may, with a line in the audit log", async () => {
    expect((await postForm(admin, "/settings/slowed/forget", acme, { id: "a1" })).status).toBe(404);
    expect((await postForm(admin, "/settings/slowed/forget", acme, { id: "d4" })).status).toBe(303);
    expect((await postForm(admin, "/settings/slowed/forget", site, { id: "c3" })).status).toBe(303);
    expect((await askApi(admin, { method: "DELETE", path: "/auth/slowed/a1" }, site)).status).toBe(204);
    expect((await postForm(admin, "/settings/slowed/forget", site, { id: "e5" })).status).toBe(303);
    const audit = await listAudit(admin.database.open("qvd_admin").orm, { limit: 4 });
    expect(audit.map(({ action, subjectName }) => `${action} ${subjectName}`)).toEqual([
      "sign-in.forget-slowed carla@default",
      "sign-in.forget-slowed ann@default",
      "sign-in.forget-slowed-site 2001:db8:0:1::/64",
      "sign-in.forget-slowed eve@acme",
    ]);
  });
});

describe("trying a directory", () => {
  test("isn't needed to see that one of the tenant's own didn't answer", async () => {
    expect(await html("/settings?tenant=default")).not.toContain("did not answer");
    await askApi(
      admin,
      {
        ...{ method: "PUT", path: "/settings/auth.ldap.host" },
        body: { value: "ldaps://away.example.org, ldaps://b", tenant: "default" },
      },
      site,
    );
    expect(await html("/settings?tenant=default")).toContain("ldaps://away.example.org did not answer");
    expect(await html("/settings", acme)).not.toContain("did not answer");
  });

  test("tells each step, by page and by API", async () => {
    const response = await postForm(admin, "/settings/directory/test?tenant=acme", site, { login: "ann" });
    expect(await response.text()).toContain("No entry below dc=example matches.");
    const path = "/auth/test-directory";
    const answer = await askApi(admin, { method: "POST", path, body: { login: "ann" } }, acme);
    expect(await answer.json()).toMatchObject([
      { name: "ldaps://dc1.example.org", steps: [{}, { isGood: false }] },
    ]);
    const other = { method: "POST", path, body: { tenant: "default" } };
    expect((await askApi(admin, other, acme)).status).toBe(404);
  });
});
