/** The audit log as it is read: by API and in the shell with its filters, on the page by a word; of one tenant for its own. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { AuditPageShape, type AuditPageShape as Page } from "../../src/admin/api/shapes.ts";
import { type AdminApp, askApi, createAdminApp, getPage, type SignedInAs } from "../support/admin-app.ts";
import { typeAs } from "../support/type-command.ts";
import { startWat, type Wat } from "../system/wat-support.ts";

/** Of one site, oldest first: who, what, on whom, how long ago. */
const ROWS = [
  ["administrator:ana@*", "vm.block", "vm", 7, "ann-desk", "3 days"],
  ["user:ann@default", "session.request", "vm", 7, "ann-desk", "2 hours"],
  ["administrator:ben@acme", "user.create", "user", 9, "zoe", "1 hour"],
  ["administrator:ana@*", "vm.unblock", "vm", 8, "bob-desk", "1 minute"],
] as const;

async function seed(owner: ReturnType<AdminApp["database"]["open"]>["sql"]): Promise<void> {
  await owner`truncate audit_log`;
  for (const [actor, action, kind, id, name, age] of ROWS)
    await owner`insert into audit_log (at, tenant_id, actor, origin, action, subject_kind, subject_id, subject_name, detail)
      select qvd_now() - ${age}::interval, t.id, ${actor}, '192.0.2.1', ${action}, ${kind}, ${id}, ${name}, '{"a":1}'
      from tenants t where t.name = case when ${kind} = 'user' then 'acme' else 'default' end`;
}

describe("by API", () => {
  let admin: AdminApp;
  let me: SignedInAs;
  beforeAll(async () => {
    admin = await createAdminApp();
    me = await admin.signIn("admin");
    await seed(admin.database.open("qvd_owner").sql);
  }, 60_000);
  afterAll(() => admin?.stop());

  const read = async (query: string, as = me): Promise<Page> =>
    AuditPageShape.parse(await (await askApi(admin, { method: "GET", path: `/audit${query}` }, as)).json());
  const actions = async (query: string, as = me) => (await read(query, as)).items.map(({ action }) => action);

  test("the newest comes first, with all that was written", async () => {
    expect(await actions("")).toEqual(["vm.unblock", "user.create", "session.request", "vm.block"]);
    const [first] = (await read("")).items;
    expect(first).toEqual({
      ...{
        id: expect.any(Number),
        at: expect.stringMatching(/Z$/),
        actor: "administrator:ana@*",
        origin: "192.0.2.1",
      },
      ...{ action: "vm.unblock", subjectKind: "vm", subjectId: 8, subjectName: "bob-desk", detail: { a: 1 } },
    });
  });

  for (const [query, found] of [
    ["?actor=ana@", ["vm.unblock", "vm.block"]],
    ["?actor=nobody", []],
    ["?action=vm.", ["vm.unblock", "vm.block"]],
    ["?action=vm.block", ["vm.block"]],
    ["?subject=vm", ["vm.unblock", "session.request", "vm.block"]],
    ["?subject=vm:7", ["session.request", "vm.block"]],
    ["?subject=vm:bob-desk", ["vm.unblock"]],
    ["?subject=user:7", []],
    ["?search=ANN", ["session.request", "vm.block"]],
    ["?search=block&actor=ana", ["vm.unblock", "vm.block"]],
    // What stands for anything in a pattern of SQL's stands for itself here.
    ["?search=%25", []],
    ["?actor=_", []],
  ] as const)
    test(`narrowed down by ${query}`, async () => expect(await actions(query)).toEqual([...found]));

  test("narrowed down to a time", async () => {
    const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
    expect(await actions(`?since=${ago(90)}`)).toEqual(["vm.unblock", "user.create"]);
    expect(await actions(`?until=${ago(90)}`)).toEqual(["session.request", "vm.block"]);
    expect(await actions(`?since=${ago(180)}&until=${ago(90)}`)).toEqual(["session.request"]);
  });

  test("page by page", async () => {
    const first = await read("?limit=3");
    expect(first.items).toHaveLength(3);
    expect(await read(`?limit=3&before=${first.next}`)).toMatchObject({
      items: [{ action: "vm.block" }],
      next: null,
    });
  });

  for (const query of [
    "?since=soon",
    "?until=1",
    "?limit=0",
    "?limit=all",
    "?before=x",
    `?actor=${"x".repeat(300)}`,
  ])
    test(`${query.slice(0, 20)} is refused, naming the field`, async () => {
      const answer = await askApi(admin, { method: "GET", path: `/audit${query}` }, me);
      expect([answer.status, await answer.text()]).toEqual([422, expect.stringContaining('"field"')]);
    });

  test("an administrator of one tenant sees what is that tenant's; nobody who isn't one sees any", async () => {
    expect(await actions("", await admin.signIn("acme-admin"))).not.toContain("vm.block");
    expect(await actions("?actor=ben", await admin.signIn("acme-admin"))).toEqual(["user.create"]);
    expect((await askApi(admin, { method: "GET", path: "/audit" })).status).toBe(401);
  });

  test("the page finds by a word, and says where nothing matches", async () => {
    const found = await (await getPage(admin, "/settings/audit?search=ann-desk", me)).text();
    expect(found).toContain("vm.block");
    expect(found).not.toContain("bob-desk");
    const rows = await getPage(admin, "/settings/audit/table?search=zzz", me);
    expect([rows.headers.get("HX-Replace-Url"), await rows.text()]).toEqual([
      "/settings/audit?search=zzz",
      expect.stringContaining("Nothing matches"),
    ]);
  });
});

describe("in the shell", () => {
  let wat: Wat;
  beforeAll(async () => {
    wat = await startWat({ isEmpty: true });
    await seed(wat.database.open("qvd_owner").sql);
  }, 60_000);
  afterAll(() => wat?.stop());
  const type = typeAs(() => wat, "admin");

  test("it is listed for people and for programs, with the same filters", async () => {
    const lines = (await type("audit list", "--by", "ana", "--on", "vm:ann-desk")).out.trimEnd().split("\n");
    expect(lines).toEqual([
      expect.stringMatching(/^WHEN +BY +ACTION +ON +FROM +DETAIL$/),
      expect.stringMatching(
        /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +administrator:ana@\* +vm\.block +vm ann-desk +192\.0\.2\.1 +\{"a":1\}$/,
      ),
    ]);
    const rows = JSON.parse((await type("audit list", "--action", "vm.", "--since", "2d", "--json")).out);
    expect(rows).toMatchObject([{ action: "vm.unblock" }]);
    expect(JSON.parse((await type("audit list", "--limit", "2", "--json")).out)).toHaveLength(2);
    expect((await type("audit list", "--search", "zzz")).err).toBe("nothing to list\n");
  });

  test("what can't be meant is refused", async () => {
    expect((await type("audit list", "--since", "soon")).err).toContain("--since must be like 2h");
    expect((await type("audit list", "--limit", "none")).err).toContain("--limit must be a number");
  });
});
