/** Sessions as administrators see and end them: by verb, API, pages and commands. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { SessionId } from "../../src/domain/ids.ts";
import { asId } from "../../src/domain/ids.ts";
import { isAppError } from "../../src/lib/errors.ts";
import { wishSessionEndById } from "../../src/service/session/wish-end.ts";
import {
  type AdminApp,
  askApi,
  createAdminApp,
  getPage,
  postForm,
  type SignedInAs,
} from "../support/admin-app.ts";

let admin: AdminApp;
let site: SignedInAs;
let acme: SignedInAs;
/** The one that runs; the site's seed made it. */
let live: number;
const ended: number[] = [];
beforeAll(async () => {
  admin = await createAdminApp();
  site = await admin.signIn("admin");
  acme = await admin.signIn("acme-admin");
  const { sql } = admin.database.open("qvd_owner");
  live = Number((await sql`select id from sessions where ended_at is null`)[0]?.id);
  const causes = ["client-left", "superseded", "session-failed", "of-a-newer-qvd"];
  for (const cause of causes) {
    const [row] = await sql`
      insert into sessions (vm_id, user_id, client, slave_key, client_address, broker_worker, broker_node_id, access, state,
        requested_at, connected_at, ended_at, end_cause, fault_text)
      select id, user_id, '{}', 'k', '192.0.2.99', '1', 1, ${cause === "superseded" ? "browser" : "nx"}, 'listening',
        now() - interval '2 hours', now() - interval '119 minutes', now() - interval '59 minutes', ${cause},
        ${cause === "session-failed" ? "The account was refused." : null}
      from vms order by id limit 1 returning id`;
    ended.push(Number(row?.id));
  }
}, 120_000);
afterAll(() => admin.stop());

type Listed = { readonly items: readonly Record<string, unknown>[]; readonly total: number };
const list = async (query: string, as = site): Promise<Listed> =>
  (await (await askApi(admin, { method: "GET", path: `/sessions${query}` }, as)).json()) as Listed;

describe("the API", () => {
  test("lists all, newest first, with the reason of each end in words", async () => {
    const { items, total } = await list("");
    expect(total).toBe(5);
    expect(items.map(({ id }) => id)).toEqual([...ended].reverse().concat(live));
    expect(items.map(({ endReason }) => endReason)).toEqual([
      "of-a-newer-qvd",
      "The account was refused.",
      "a newer client took over",
      "the client left",
      null,
    ]);
    expect(items[2]).toMatchObject({ state: "ended", access: "browser", node: "node-a", user: "ann" });
    expect(items[4]).toMatchObject({ state: "connected", clientAddress: "192.0.2.17" });
  });

  for (const [query, count] of [
    ["?state=connected", 1],
    ["?state=waiting", 0],
    ["?state=ended", 4],
    ["?live=true", 1],
    ["?search=192.0.2.99", 4],
    ["?search=NOBODY", 0],
    ["?search=%25", 0],
    ["?user=999", 0],
    ["?pageSize=2&page=2", 5],
  ] as const)
    test(`counts ${count} for ${query}`, async () => expect((await list(query)).total).toBe(count));

  test("refuses a state that there is none of, and an id that is none", async () => {
    for (const query of ["?state=asleep", "?vm=x"])
      expect((await askApi(admin, { method: "GET", path: `/sessions${query}` }, site)).status).toBe(422);
  });

  test("shows another tenant nothing of them, nor lets it end one", async () => {
    expect((await list("", acme)).total).toBe(0);
    const one = `/sessions/${live}`;
    expect((await askApi(admin, { method: "GET", path: one }, acme)).status).toBe(404);
    expect((await askApi(admin, { method: "POST", path: `${one}/disconnect` }, acme)).status).toBe(404);
    expect((await askApi(admin, { method: "POST", path: `${one}/disconnect` })).status).toBe(401);
  });
});

describe("the pages", () => {
  const text = async (path: string, as = site) => (await getPage(admin, path, as)).text();

  test("list them with what each was, and narrow the list down", async () => {
    const all = await text("/sessions");
    expect(all).toContain("a newer client took over");
    expect(all).toContain("192.0.2.17");
    expect(all).toContain(`/sessions/${live}/disconnect`);
    const past = await text("/sessions?state=ended&search=ann");
    expect(past).not.toContain(`id="session-${live}"`);
    expect(past).toContain(`id="session-${ended[0]}"`);
    expect(await text("/sessions/table?state=waiting")).toContain("No session matches");
    expect(await text("/sessions", acme)).toContain("No session yet");
  });

  test("of a desktop and of its user show the last ones, and lead to all", async () => {
    const [row] = (await list("?search=192.0.2.99")).items;
    for (const [page, all] of [
      [`/desktops/${row?.vmId}`, `/sessions?vm=${row?.vmId}`],
      [`/users/${row?.userId}`, `/sessions?user=${row?.userId}`],
    ] as const) {
      const shown = await text(page);
      expect(shown).toContain("Last sessions");
      expect(shown).toContain(all);
    }
  });
});

describe("an administrator ends one", () => {
  test("by its page, once, in the audit log and with a wake", async () => {
    const { sql } = admin.database.open("qvd_owner");
    const path = `/sessions/${live}/disconnect`;
    expect((await postForm(admin, path, acme)).status).toBe(404);
    expect((await postForm(admin, path, site)).status).toBe(303);
    const [row] = await sql`select end_wished_by, ended_at, vm_id from sessions where id = ${live}`;
    expect(row).toMatchObject({ end_wished_by: "administrator:admin@*", ended_at: null });
    expect(admin.wakes).toContain(`vm ${row?.vm_id}`);
    const audit = await sql`select detail from audit_log where action = 'session.wish-end'`;
    expect(audit.map(({ detail }) => detail.sessionId)).toEqual([live]);
    const again = await askApi(admin, { method: "POST", path }, site);
    expect(again.status).toBe(409);
    expect(await (await getPage(admin, "/sessions", site)).text()).toContain("is being disconnected");
  });

  test("that is over is told so, and one that never was, that it isn't there", async () => {
    const db = admin.database.open("qvd_admin").orm;
    const actor = { kind: "system", what: "test" } as const;
    const end = (id: number) =>
      wishSessionEndById({ db, actor }, { sessionId: asId<SessionId>(id) }).then(
        () => "done",
        (error) => (isAppError(error) ? `${error.code}: ${error.message}` : `${error}`),
      );
    expect(await end(ended[0] ?? 0)).toBe(`conflict: session ${ended[0]} is over already`);
    expect(await end(99_999)).toBe("not-found: session 99999 does not exist");
  });
});
