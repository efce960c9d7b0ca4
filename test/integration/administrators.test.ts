/** Administrators are listed, shown, blocked and deleted: on the page, by API and in the shell; and by whom not. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { AdministratorShape, pageOf } from "../../src/admin/api/shapes.ts";
import { type AdministratorId, asId, type TenantId } from "../../src/domain/ids.ts";
import { blockAdministrator } from "../../src/service/administrator/block.ts";
import { createAdministrator } from "../../src/service/administrator/create.ts";
import { deleteAdministrator } from "../../src/service/administrator/delete.ts";
import { unblockAdministrator } from "../../src/service/administrator/unblock.ts";
import { beginSignIn } from "../../src/service/sign-in/begin.ts";
import { findSignIn } from "../../src/service/sign-in/find.ts";
import {
  type AdminApp,
  askApi,
  createAdminApp,
  getPage,
  postForm,
  type SignedInAs,
} from "../support/admin-app.ts";
import { typeAs } from "../support/type-command.ts";
import { PASSWORD } from "../support/wat-site.ts";
import { startWat, type Wat } from "../system/wat-support.ts";

const SYSTEM = { kind: "system", what: "test" } as const;
const hashPassword = async () => "not a hash";

let admin: AdminApp;
let me: SignedInAs;
let ben: AdministratorId;
let bens: string;
beforeAll(async () => {
  admin = await createAdminApp();
  me = await admin.signIn("admin");
}, 60_000);
afterAll(() => admin?.stop());
beforeEach(async () => {
  const db = admin.database.open("qvd_admin").orm;
  await admin.database.open("qvd_owner").orm.execute(sql`delete from administrators where login = 'ben'`);
  const made = await createAdministrator(
    { db, actor: SYSTEM },
    { hashPassword },
    { login: "ben", password: PASSWORD },
  );
  ben = made.administratorId;
  const randomToken = () => crypto.randomUUID();
  bens = (await beginSignIn({ db, actor: SYSTEM }, { randomToken }, { administratorId: ben })).token;
});

const ask = (method: string, path: string, as = me) =>
  askApi(admin, { method, path: `/administrators${path}` }, as);
const isIn = async () => (await findSignIn(admin.database.open("qvd_admin").orm, bens)) !== undefined;
const page = async () => await (await getPage(admin, "/settings/administrators", me)).text();

describe("by API", () => {
  test("they are listed and shown with what they may do, and never how they prove who they are", async () => {
    const { items } = pageOf(AdministratorShape).parse(await (await ask("GET", "")).json());
    expect(items.map(({ login, tenant, roles }) => [login, tenant, ...roles])).toEqual([
      ["acme-admin", "acme", "administrator"],
      ["admin", "*", "administrator"],
      ["ben", "*", "administrator"],
    ]);
    const shown = await (await ask("GET", `/${ben}`)).text();
    expect(AdministratorShape.parse(JSON.parse(shown))).toMatchObject({
      isBlocked: false,
      hasSecondFactor: false,
      provider: null,
    });
    expect(Object.keys(JSON.parse(shown)).sort()).toEqual(Object.keys(AdministratorShape.shape).sort());
    expect((await ask("GET", "/999999")).status).toBe(404);
  });

  test("a blocked one is out at once, and comes back only by signing in again", async () => {
    expect(await isIn()).toBe(true);
    expect((await ask("POST", `/${ben}/block`)).status).toBe(204);
    expect(await isIn()).toBe(false);
    expect((await ask("POST", `/${ben}/unblock`)).status).toBe(204);
    expect(await isIn()).toBe(false);
  });

  test("a deleted one is gone, and stays in the audit log; a trial changes nothing", async () => {
    expect((await ask("DELETE", `/${ben}?trial=yes`)).status).toBe(204);
    expect(await isIn()).toBe(true);
    expect((await ask("DELETE", `/${ben}`)).status).toBe(204);
    expect((await ask("GET", `/${ben}`)).status).toBe(404);
    const rows = await admin.database
      .open("qvd_owner")
      .orm.execute(
        sql`select actor, subject_name from audit_log where action = 'administrator.delete' and subject_id = ${ben}`,
      );
    expect([...rows]).toEqual([{ actor: "administrator:admin@*", subject_name: "ben" }]);
  });

  test("nobody blocks or deletes themselves", async () => {
    const [own] = pageOf(AdministratorShape)
      .parse(await (await ask("GET", "?search=admin")).json())
      .items.filter(({ login }) => login === "admin");
    for (const [method, path] of [
      ["POST", `/${own?.id}/block`],
      ["DELETE", `/${own?.id}`],
    ] as const) {
      const refused = await ask(method, path);
      expect([refused.status, await refused.text()]).toEqual([409, expect.stringContaining("yourself")]);
    }
  });
});

test("of two who block each other at once one is left", async () => {
  const { orm: db } = admin.database.open("qvd_admin");
  const { administratorId: eve } = await createAdministrator(
    { db, actor: SYSTEM },
    { hashPassword },
    { login: "eve", password: PASSWORD },
  );
  const as = (administratorId: AdministratorId, login: string) => {
    const site = { tenantId: asId<TenantId>(0), tenantName: "*", acls: new Set(["*"]) };
    return { db, actor: { kind: "administrator", administratorId, login, ...site } } as const;
  };
  for (let round = 0; round < 10; round++) {
    const both = await Promise.allSettled([
      blockAdministrator(as(eve, "eve"), { administratorId: ben }),
      blockAdministrator(as(ben, "ben"), { administratorId: eve }),
    ]);
    expect(both.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const administratorId of [ben, eve])
      await unblockAdministrator({ db, actor: SYSTEM }, { administratorId });
  }
  await deleteAdministrator({ db, actor: SYSTEM }, { administratorId: eve });
});

describe("nobody else does it", () => {
  const VERBS = [
    ["POST", "/block"],
    ["POST", "/unblock"],
    ["DELETE", ""],
  ] as const;

  test("not an administrator of a tenant to the site's, nor sees them", async () => {
    const foreign = await admin.signIn("acme-admin");
    for (const [method, verb] of VERBS)
      expect((await ask(method, `/${ben}${verb}`, foreign)).status).toBe(404);
    const { items } = pageOf(AdministratorShape).parse(await (await ask("GET", "", foreign)).json());
    expect(items.map(({ login }) => login)).toEqual(["acme-admin"]);
    expect((await ask("GET", `/${ben}`, foreign)).status).toBe(404);
    expect((await getPage(admin, `/settings/administrators/${ben}/delete`, foreign)).status).toBe(404);
  });

  test("not one without the right, nor one who is not signed in", async () => {
    const owner = admin.database.open("qvd_owner").orm;
    await owner.execute(sql`update role_acls set acl = 'administrator.see-main.' where acl = '*'`);
    const powerless = await Promise.all(VERBS.map(([method, verb]) => ask(method, `/${ben}${verb}`)));
    const form = await postForm(admin, `/settings/administrators/${ben}/block`, me);
    await owner.execute(sql`update role_acls set acl = '*' where acl = 'administrator.see-main.'`);
    expect(powerless.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect(form.status).toBe(403);
    const stranger = { token: "none", csrf: "", cookie: "" };
    for (const [method, verb] of VERBS)
      expect((await ask(method, `/${ben}${verb}`, stranger)).status).toBe(401);
    expect(await isIn()).toBe(true);
  });
});

describe("on the page", () => {
  test("one is blocked, unblocked, and deleted after a question; oneself isn't offered", async () => {
    expect(await page()).toContain(`action="/settings/administrators/${ben}/block"`);
    await postForm(admin, `/settings/administrators/${ben}/block`, me);
    expect(await isIn()).toBe(false);
    expect(await page()).toContain(`action="/settings/administrators/${ben}/unblock"`);
    await postForm(admin, `/settings/administrators/${ben}/unblock`, me);
    const question = await getPage(admin, `/settings/administrators/${ben}/delete`, me);
    expect(await question.text()).toContain("Delete administrator ben?");
    const done = await postForm(admin, `/settings/administrators/${ben}/delete`, me);
    expect([done.status, done.headers.get("Location")]).toEqual([303, "/settings/administrators"]);
    expect(await page()).not.toContain(">ben<");
    expect((await page()).match(/ action="[^"]*\/block"/g)).toHaveLength(1);
  });

  test("of one whom a provider made it is said that they come again", async () => {
    await admin.database
      .open("qvd_owner")
      .orm.execute(
        sql`update administrators set provider = 'https://id.test' where id = ${asId<AdministratorId>(ben)}`,
      );
    const question = await getPage(admin, `/settings/administrators/${ben}/delete`, me);
    expect(await question.text()).toContain("block them to keep them out");
  });
});

describe("in the shell", () => {
  let wat: Wat;
  beforeAll(async () => {
    wat = await startWat({ isEmpty: true });
  }, 60_000);
  afterAll(() => wat?.stop());
  const type = typeAs(() => wat, "admin");

  test("they are listed, shown, blocked and deleted", async () => {
    const listed = (await type("administrator list")).out.split("\n");
    expect(listed[0]).toMatch(/^ID +LOGIN +TENANT +ROLES +SECOND FACTOR +SEEN +BLOCKED$/);
    expect(listed[1]).toMatch(/^\d+ +acme-admin +acme +administrator +no +- +no$/);
    expect(JSON.parse((await type("administrator show", "acme-admin@acme", "--json")).out)).toMatchObject({
      login: "acme-admin",
    });
    expect((await type("administrator show", "admin@*")).out).toMatch(/^of +the whole site$/m);
    expect((await type("administrator block", "acme-admin")).err).toBe("blocked administrator acme-admin\n");
    expect((await typeAs(() => wat, "acme-admin")("administrator list")).code).toBe(-1);
    expect((await type("administrator unblock", "acme-admin")).code).toBe(0);
    expect((await type("administrator delete", "acme-admin", "--dry-run")).err).toMatch(
      /^would delete administrator acme-admin \(id \d+\) of tenant acme\n$/,
    );
    expect((await type("administrator delete", "acme-admin")).err).toStartWith(
      "deleted administrator acme-admin",
    );
    expect((await type("administrator show", "acme-admin")).err).toContain(
      "`qvd administrator list` lists them",
    );
    expect((await type("administrator delete", "admin")).err).toContain("you can't delete yourself");
  });
});
