/** The ways that an administrator asks for a screen that is somebody else's: page, API, command; and who may not. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { VisitShape } from "../../src/admin/api/shapes.ts";
import { vmConsole } from "../../src/cli/vm/console.ts";
import { vmWatch } from "../../src/cli/vm/watch.ts";
import type { Db } from "../../src/db/client.ts";
import { describeError } from "../../src/lib/errors.ts";
import {
  type AdminApp,
  askApi,
  createAdminApp,
  getPage,
  postForm,
  type SignedInAs,
} from "../support/admin-app.ts";
import { PASSWORD } from "../support/wat-site.ts";
import { startWat, type Wat } from "../system/wat-support.ts";

let admin: AdminApp;
let owner: Db;
let me: SignedInAs;
let vmId: number;

beforeAll(async () => {
  admin = await createAdminApp();
  owner = admin.database.open("qvd_owner").orm;
  me = await admin.signIn("admin");
});
afterAll(() => admin.stop());
beforeEach(async () => {
  vmId = await sitDown(owner);
});

/** Somebody has the running desktop, which is a machine, open in a browser. */
async function sitDown(db: Db): Promise<number> {
  await db.execute(sql`update osfs set hypervisor = 'kvm'`);
  await db.execute(sql`delete from visits`);
  const [row] = await db.execute<{ id: number }>(
    sql`update sessions set access = 'browser' where connected_at is not null and ended_at is null returning vm_id as id`,
  );
  return row?.id ?? 0;
}

const VISIT = /^https:\/\/wat\.test:8443\/visit#\S{32,}$/;

async function visitsOf(): Promise<readonly Record<string, unknown>[]> {
  return [
    ...(await owner.execute(
      sql`select kind, may_control, needs_consent, visitor, asked_by from visits order by id`,
    )),
  ];
}

describe("an administrator", () => {
  test("is led to the console by a ticket, and the machine's page offers it", async () => {
    const page = await (await getPage(admin, `/desktops/${vmId}`, me)).text();
    expect(page).toContain(`action="/desktops/${vmId}/console"`);
    const answer = await postForm(admin, `/desktops/${vmId}/console`, me);
    expect(answer.status).toBe(303);
    expect(answer.headers.get("Location")).toMatch(VISIT);
    expect(await visitsOf()).toMatchObject([{ kind: "console", may_control: true, needs_consent: false }]);
  });

  test("may be sent on by the page's policy, to that one address", async () => {
    const policy = (await getPage(admin, `/desktops/${vmId}`, me)).headers.get("Content-Security-Policy");
    expect(policy).toContain("form-action 'self' https://wat.test:8443;");
  });

  test("is led to somebody's session, who is asked unless the tenant says otherwise", async () => {
    expect((await postForm(admin, `/desktops/${vmId}/watch`, me)).headers.get("Location")).toMatch(VISIT);
    await postForm(admin, `/desktops/${vmId}/watch`, me, { control: "yes" });
    await owner.execute(sql`insert into settings (tenant_id, name, value)
      select tenant_id, 'vma.x11vnc.confirm.enabled', 'false' from vms where id = ${vmId}`);
    await postForm(admin, `/desktops/${vmId}/watch`, me);
    await owner.execute(sql`delete from settings`);
    const by = { kind: "watch", visitor: "Administrator admin", asked_by: "administrator:admin@*" };
    expect(await visitsOf()).toEqual([
      { ...by, may_control: false, needs_consent: true },
      { ...by, may_control: true, needs_consent: true },
      { ...by, may_control: false, needs_consent: false },
    ]);
  });

  for (const [what, spoil, path, reason] of [
    ["a container", sql`update osfs set hypervisor = 'lxc'`, "console", "is a container"],
    [
      "an NX client's session",
      sql`update sessions set access = 'nx'`,
      "watch",
      "only such sessions can be watched",
    ],
  ] as const)
    test(`is told why not at ${what}`, async () => {
      await owner.execute(spoil);
      const refused = await askApi(admin, { method: "POST", path: `/vms/${vmId}/${path}` }, me);
      expect(refused.status).toBe(409);
      expect(await refused.text()).toContain(reason);
      const answer = await postForm(admin, `/desktops/${vmId}/${path}`, me);
      expect(answer.headers.get("Location")).toBe(`/desktops/${vmId}`);
      expect(await visitsOf()).toEqual([]);
    });

  test("isn't let in beside whoever works at the console, unless nobody has to be asked", async () => {
    await owner.execute(sql`update sessions set access = 'console' where connected_at is not null`);
    const ask = () => askApi(admin, { method: "POST", path: `/vms/${vmId}/console` }, me);
    const refused = await ask();
    expect([refused.status, await refused.text()]).toEqual([
      409,
      expect.stringContaining("works at its console now"),
    ]);
    await owner.execute(sql`insert into settings (tenant_id, name, value)
      select tenant_id, 'vma.x11vnc.confirm.enabled', 'false' from vms where id = ${vmId}`);
    expect((await ask()).status).toBe(201);
    await owner.execute(sql`delete from settings`);
    await owner.execute(sql`update sessions set superseded_at = qvd_now() where access = 'console'`);
    expect((await ask()).status).toBe(201);
    await owner.execute(sql`update sessions set superseded_at = null where access = 'console'`);
    expect(await visitsOf()).toHaveLength(2);
  });

  test("holds it by the sign-in that asked, in the browser and by API", async () => {
    await postForm(admin, `/desktops/${vmId}/console`, me);
    await askApi(admin, { method: "POST", path: `/vms/${vmId}/watch` }, me);
    const held = await owner.execute(sql`select v.id from visits v join administrator_sessions s
      on s.token_hash = v.sign_in_hash and date_trunc('milliseconds', s.expires_at) = v.sign_in_expires_at and s.administrator_id = v.administrator_id`);
    expect(held).toHaveLength(2);
  });

  test("gets the same by API", async () => {
    for (const [path, body] of [
      ["console", undefined],
      ["watch", { mayControl: true }],
    ] as const) {
      const answer = await askApi(admin, { method: "POST", path: `/vms/${vmId}/${path}`, body }, me);
      expect(answer.status).toBe(201);
      expect(VisitShape.parse(await answer.json()).address).toMatch(VISIT);
    }
    expect(await visitsOf()).toHaveLength(2);
  });
});

describe("nobody else", () => {
  for (const path of ["console", "watch"])
    test(`is led to a ${path}: not another tenant's administrator, nor one without the right`, async () => {
      const foreign = await admin.signIn("acme-admin");
      expect((await postForm(admin, `/desktops/${vmId}/${path}`, foreign)).status).toBe(404);
      expect((await askApi(admin, { method: "POST", path: `/vms/${vmId}/${path}` }, foreign)).status).toBe(
        404,
      );
      await owner.execute(sql`update role_acls set acl = 'vm.see-main.' where acl = '*'`);
      const powerless = (await postForm(admin, `/desktops/${vmId}/${path}`, me)).status;
      await owner.execute(sql`update role_acls set acl = '*' where acl = 'vm.see-main.'`);
      expect(powerless).toBe(403);
      expect(await visitsOf()).toEqual([]);
    });
});

describe("in the shell", () => {
  let wat: Wat;
  beforeAll(async () => {
    wat = await startWat({ portal: { address: "https://desks.test", port: 1 } });
    await sitDown(wat.database.open("qvd_owner").orm);
  }, 30_000);
  afterAll(() => wat.stop());

  async function type(
    command: typeof vmWatch,
    options: Readonly<Record<string, boolean>>,
    login = "admin",
  ): Promise<string> {
    const [row] = await wat.database
      .open("qvd_owner")
      .orm.execute<{ id: number }>(sql`select vm_id as id from sessions limit 1`);
    let out = "";
    const io = {
      out: (text: string) => {
        out += text;
      },
      err: () => {},
      env: {
        HOME: "/nonexistent",
        QVD_API_URL: wat.url,
        QVD_API_CA: wat.caFile,
        QVD_LOGIN: login,
        QVD_PASSWORD: PASSWORD,
      },
      isTerminal: false,
      signal: new AbortController().signal,
    };
    await command.run(io, { positionals: [String(row?.id)], options }).catch((error: unknown) => {
      out = describeError(error);
    });
    return out;
  }

  test("a link is printed, to a console and to a session", async () => {
    expect(await type(vmConsole, { link: true })).toMatch(/^https:\/\/desks\.test\/visit#\S{32,}\n$/);
    expect(await type(vmWatch, { control: true })).toMatch(/^https:\/\/desks\.test\/visit#\S{32,}\n$/);
    expect(JSON.parse(await type(vmWatch, { json: true })).address).toStartWith("https://desks.test/visit#");
  });

  test("another tenant's administrator finds no such desktop", async () => {
    for (const command of [vmConsole, vmWatch])
      expect(await type(command, { link: true }, "acme-admin")).toContain("here is no such desktop");
  });
});
