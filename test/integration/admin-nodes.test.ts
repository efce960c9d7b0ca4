/** Nodes and properties as administrators meet them: pages, API and what the verbs left behind. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  type AdminApp,
  askApi,
  createAdminApp,
  getPage,
  postForm,
  type SignedInAs,
} from "../support/admin-app.ts";

let admin: AdminApp;
let me: SignedInAs;
let owner: ReturnType<AdminApp["database"]["open"]>["sql"];

beforeAll(async () => {
  admin = await createAdminApp();
  me = await admin.signIn("admin");
  owner = admin.database.open("qvd_owner").sql;
  // The desktops of the site are node 1's; a second node is up, and has nothing.
  await owner`insert into nodes (name, address) values ('node-b', 'box-b.example:8443')`;
  await owner`insert into node_reports (node_id, state, facts, started_at) values (2, 'running', '{}', now())`;
  await owner`insert into leases (node_id, valid_until) values (2, now() + interval '1 day')`;
});
beforeEach(async () => {
  await owner`update nodes set drain = null, is_blocked = false`;
});
afterAll(() => admin.stop());

const readText = async (path: string) => (await getPage(admin, path, me)).text();
async function ask(method: string, path: string, body?: unknown) {
  const response = await askApi(admin, { method, path, body }, me);
  const text = await response.text();
  return { status: response.status, json: text === "" ? {} : JSON.parse(text) };
}

describe("a node's weight", () => {
  test("is changed by a form, which says what is wrong with it", async () => {
    expect(await readText("/nodes/1/change")).toContain('value="1"');
    const refused = await postForm(admin, "/nodes/1/change", me, { weight: "heavy" });
    expect(refused.status).toBe(422);
    expect(await refused.text()).toContain("Must be a number from 0 to 100");
    expect((await postForm(admin, "/nodes/1/change", me, { weight: "0" })).status).toBe(303);
    expect(await readText("/nodes")).toContain("0, the last resort");
    await postForm(admin, "/nodes/1/change", me, { weight: "1" });
  });
});

describe("a desktop that runs where the site doesn't place it", () => {
  const facts = (strangers: readonly number[]) =>
    owner`update node_reports set facts = ${JSON.stringify({ problems: [], workers: [], strangers })}::text::jsonb
      where node_id = 2`;

  test("is told of by page and API, and ended after a question, by those who may", async () => {
    await facts([4711]);
    expect(await readText("/nodes")).toContain("/nodes/2/strangers/4711/end");
    expect((await ask("GET", "/nodes/2")).json.strangers).toEqual([4711]);
    expect(await readText("/nodes/2/strangers/4711/end")).toContain("Its home stays where it is");
    expect((await ask("POST", "/nodes/2/strangers/4711/end?trial=yes")).status).toBe(204);
    const wished = async () => (await owner`select strangers_to_end from nodes where id = 2`)[0];
    expect(await wished()).toEqual({ strangers_to_end: [] });
    const other = await admin.signIn("acme-admin");
    expect((await postForm(admin, "/nodes/2/strangers/4711/end", other)).status).toBe(403);
    expect((await postForm(admin, "/nodes/2/strangers/4711/end", me)).status).toBe(303);
    expect((await ask("POST", "/nodes/2/strangers/4711/end")).status).toBe(204);
    expect(await wished()).toEqual({ strangers_to_end: [4711] });
    const audit = await owner`select actor, detail from audit_log where action = 'node.end-stranger'`;
    expect(audit[0]).toMatchObject({ actor: "administrator:admin@*", detail: { vmId: 4711 } });
  });

  test("is not ended where nobody tells of it, and the page says why", async () => {
    await facts([]);
    expect((await ask("POST", "/nodes/2/strangers/4711/end")).status).toBe(409);
    const page = await postForm(admin, "/nodes/2/strangers/4711/end", me);
    expect(page.status).toBe(409);
    expect(await page.text()).toContain("tells of no desktop 4711");
    expect((await ask("POST", "/nodes/2/strangers/word/end")).status).toBe(404);
    expect(await readText("/nodes")).not.toContain("/strangers/");
  });
});

describe("draining a node", () => {
  test("is only tried where the API is asked to look, and nothing is left of it", async () => {
    const { status, json } = await ask("POST", "/nodes/1/drain?trial=yes", { mode: "move" });
    expect(status).toBe(200);
    expect(json.staying).toBeGreaterThan(0);
    expect(await ask("GET", "/nodes/1")).toMatchObject({ json: { drain: null } });
    expect(await owner`select 1 from vm_events where code = 'node-drained'`).toHaveLength(0);
    expect(await owner`select 1 from audit_log where action = 'node.drain'`).toHaveLength(0);
  });

  test("by API tells how many leave and stay, and each of their trails", async () => {
    const [before] = await owner`select count(*)::int n from vms where node_id = 1 and deleted_at is null`;
    const { status, json } = await ask("POST", "/nodes/1/drain", { mode: "move" });
    expect(status).toBe(200);
    expect(json.leaving + json.staying).toBe(before?.n);
    expect(json.staying).toBeGreaterThan(0);
    const told =
      await owner`select distinct on (vm_id) text from vm_events where code = 'node-drained' order by vm_id, id desc`;
    expect(told).toHaveLength(before?.n);
    expect(told.some(({ text }) => text.includes("can't leave: its home lies on that node's own disk"))).toBe(
      true,
    );
    expect(await ask("GET", "/nodes/1")).toMatchObject({ json: { drain: "move" } });
    expect(admin.wakes).toContain("vm");
  });

  test("lets all go where homes are shared", async () => {
    await owner`update nodes set shared_id = 'nfs' where id = 1`;
    const { json } = await ask("POST", "/nodes/1/drain", {});
    expect(json).toMatchObject({ staying: 0 });
    expect(await ask("GET", "/nodes/1")).toMatchObject({ json: { drain: "finish", hasSharedStorage: true } });
    expect((await ask("POST", "/nodes/1/undrain")).status).toBe(204);
    expect(await ask("GET", "/nodes/1")).toMatchObject({ json: { drain: null } });
    await owner`update nodes set shared_id = null`;
  });

  test("by moving is refused where desktops would have nowhere to go", async () => {
    await owner`update nodes set is_blocked = true where id = 2`;
    const refused = await ask("POST", "/nodes/1/drain", { mode: "move" });
    expect(refused.status).toBe(409);
    expect(refused.json.error.message).toContain("no other takes its desktops (node-b: it is blocked)");
    const page = await postForm(admin, "/nodes/1/drain", me, { mode: "move" });
    expect(page.status).toBe(409);
    expect(await page.text()).toContain("no other takes its desktops (node-b: it is blocked)");
  });

  test("by page asks what becomes of its desktops, and shows the drain with its end", async () => {
    expect(await readText("/nodes/1/drain")).toContain("keeps homes on its own disk");
    expect((await postForm(admin, "/nodes/1/drain", me, { mode: "finish" })).status).toBe(303);
    const list = await readText("/nodes");
    expect(list).toContain("Draining: desktops finish");
    expect(list).toContain("End the drain");
    expect((await postForm(admin, "/nodes/1/undrain", me)).status).toBe(303);
    expect(await readText("/nodes")).not.toContain("Draining");
  });

  test("of a mode that isn't one is refused with the field", async () => {
    const refused = await ask("POST", "/nodes/1/drain", { mode: "explode" });
    expect(refused).toMatchObject({ status: 422, json: { error: { field: "mode" } } });
  });
});

describe("removing a node", () => {
  test("is refused while it has its lease", async () => {
    expect(await ask("DELETE", "/nodes/1?gone=yes")).toMatchObject({ status: 409 });
    expect(await readText("/nodes/1/remove")).toContain("it holds the right to run desktops");
    expect(await readText("/nodes")).not.toContain("/nodes/1/remove");
  });

  test("is refused while it has desktops, unless it is gone for good", async () => {
    await owner`insert into nodes (name) values ('node-c')`;
    const [node] = await owner`select id from nodes where name = 'node-c'`;
    await owner`update vms set node_id = ${node?.id} where id = 3`;
    await owner`insert into node_reports (node_id, state, facts, started_at, reported_at)
      values (${node?.id}, 'running', '{}', now(), now() - interval '1 minute')`;
    await owner`insert into leases (node_id, valid_until) values (${node?.id}, now() - interval '1 minute')`;
    expect(await ask("GET", `/nodes/${node?.id}`)).toMatchObject({ json: { state: "lost" } });
    expect((await ask("DELETE", `/nodes/${node?.id}`)).json.error.message).toContain(
      "did not shut down in order",
    );
    await owner`update node_reports set state = 'stopped' where node_id = ${node?.id}`;
    expect((await ask("DELETE", `/nodes/${node?.id}`)).json.error.message).toContain(
      "1 desktops are placed on it",
    );
    expect(await ask("DELETE", `/nodes/${node?.id}?gone=yes&trial=yes`)).toEqual({
      status: 200,
      json: { freed: 1 },
    });
    const page = await postForm(admin, `/nodes/${node?.id}/remove`, me, {});
    expect([page.status, await page.text()]).toEqual([
      409,
      expect.stringContaining("desktops are placed on it"),
    ]);
    expect((await postForm(admin, `/nodes/${node?.id}/remove`, me, { gone: "yes" })).status).toBe(303);
    expect(await owner`select node_id from vms where id = 3`).toEqual([{ node_id: null }] as never);
    const [event] = await owner`select text from vm_events where vm_id = 3 order by id desc limit 1`;
    expect(event?.text).toContain(
      "Node node-c is gone for good; the desktop is free for another node, without",
    );
    expect((await ask("GET", `/nodes/${node?.id}`)).status).toBe(404);
  });

  test("forgets one that is empty, and its weight", async () => {
    await owner`insert into nodes (name) values ('node-d')`;
    const [node] = await owner`select id from nodes where name = 'node-d'`;
    expect(await ask("PATCH", `/nodes/${node?.id}`, { weight: 2.5 })).toMatchObject({
      json: { weight: 2.5 },
    });
    expect((await ask("PATCH", `/nodes/${node?.id}`, { weight: 101 })).status).toBe(422);
    expect(await ask("DELETE", `/nodes/${node?.id}`)).toEqual({ status: 200, json: { freed: 0 } });
  });
});

describe("properties", () => {
  const KINDS = [
    ["user", "/users/1"],
    ["vm", "/desktops/1"],
    ["osf", "/images"],
    ["image", "/images"],
    ["node", "/nodes"],
  ] as const;
  for (const [kind, back] of KINDS)
    test(`of a ${kind} are set, listed and removed, by page and by API`, async () => {
      const path = `/properties/${kind}/1`;
      expect(await readText(back)).toContain(`href="${path}"`);
      expect((await postForm(admin, path, me, { key: "site", value: "Berlin <b>" })).status).toBe(303);
      expect(await readText(path)).toContain("Berlin &lt;b&gt;");
      expect(await ask("GET", path)).toEqual({ status: 200, json: { site: "Berlin <b>" } });
      expect((await ask("PUT", `${path}/floor`, { value: "2" })).status).toBe(204);
      expect(await ask("GET", path)).toMatchObject({ json: { floor: "2", site: "Berlin <b>" } });
      expect((await postForm(admin, `${path}/unset`, me, { key: "site" })).status).toBe(303);
      expect((await ask("DELETE", `${path}/floor`)).status).toBe(204);
      expect(await ask("GET", path)).toEqual({ status: 200, json: {} });
      expect((await ask("DELETE", `${path}/floor`)).status).toBe(404);
    });

  test("of a desktop are shown as its hooks get them", async () => {
    await ask("PUT", "/properties/user/1/printer", { value: "lp-of-the-user" });
    const [vm] = await owner`select id from vms where user_id = 1 limit 1`;
    expect(await ask("GET", `/properties/vm/${vm?.id}?merged=yes`)).toEqual({
      status: 200,
      json: { printer: "lp-of-the-user" },
    });
    expect(await readText(`/properties/vm/${vm?.id}`)).toContain("of the user");
  });

  test("that are wrong are shown again with the reason", async () => {
    const page = await postForm(admin, "/properties/user/1", me, { key: "a b", value: "v" });
    expect(page.status).toBe(422);
    const text = await page.text();
    expect(text).toContain("Must be 1 to 128");
    expect(text).toContain('value="a b"');
  });

  test("of what isn't there, or is another tenant's, are not found", async () => {
    expect((await ask("GET", "/properties/dragon/1")).status).toBe(404);
    expect((await ask("GET", "/properties/vm/9999")).status).toBe(404);
    const acme = await admin.signIn("acme-admin");
    for (const method of ["GET", "DELETE"] as const) {
      const path = `/properties/user/1${method === "GET" ? "" : "/printer"}`;
      expect((await askApi(admin, { method, path }, acme)).status).toBe(404);
    }
    expect((await askApi(admin, { method: "GET", path: "/properties/node/1" }, acme)).status).toBe(403);
  });
});
