/** One explanation for programs, people at a terminal and people at a page. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ExplanationShape } from "../../src/admin/api/shapes.ts";
import { type AdminApp, askApi, createAdminApp, getPage, type SignedInAs } from "../support/admin-app.ts";

let admin: AdminApp;
let me: SignedInAs;

beforeAll(async () => {
  admin = await createAdminApp();
  me = await admin.signIn("admin");
}, 120_000);
afterAll(() => admin.stop());

const run = (sql: TemplateStringsArray, ...values: (string | number)[]) =>
  admin.database.open("qvd_owner").sql(sql, ...values);
const explain = async (vmId: number, as = me) => {
  const answer = await askApi(admin, { method: "GET", path: `/vms/${vmId}/explain` }, as);
  return { status: answer.status, said: (await answer.json()) as Record<string, unknown> };
};
const pageOf = async (vmId: number) => await (await getPage(admin, `/desktops/${vmId}`, me)).text();

describe("an explanation", () => {
  test("says of a desktop that runs what is so, and what comes", async () => {
    await run`update osfs set idle_stop_seconds = 900 where id = (select osf_id from vms where id = 4)`;
    await run`update sessions set ended_at = now() where vm_id = 4`;
    await run`update vm_reports set idle_since = now() - interval '5 min' where vm_id = 4`;
    const { said } = await explain(4);
    const shown = ExplanationShape.parse(said);
    expect(shown).toMatchObject({
      difference: null,
      next: "It is stopped, unless somebody connects before.",
    });
    const inMs = Date.parse(shown.nextAt ?? "") - Date.now();
    expect(inMs).toBeGreaterThan(9 * 60_000);
    expect(inMs).toBeLessThan(11 * 60_000);
    const html = await pageOf(4);
    expect(html).toContain("It is stopped, unless somebody connects before.");
    expect(html).toContain("in about 10 min");
  });

  test("says of a desktop on a node that is drained what the node does with it", async () => {
    await run`update osfs set idle_stop_seconds = null where id = (select osf_id from vms where id = 4)`;
    await run`update nodes set drain = 'move', drained_at = qvd_now() where id = (select node_id from vms where id = 4)`;
    expect((await explain(4)).said.next).toMatch(/^It goes on until it is stopped. .* until the drain ends/);
    await run`update nodes set shared_id = 'nfs' where id = (select node_id from vms where id = 4)`;
    expect((await explain(4)).said.next).toMatch(
      /^It is asked to shut down .* Then it starts on another node/,
    );
    await run`update nodes set drain = null, shared_id = null where id = (select node_id from vms where id = 4)`;
  });

  test("tells when a boot has taken too long, by what the node goes by", async () => {
    await run`update vm_reports set state = 'starting_2', state_at = qvd_now() where vm_id = 4`;
    expect((await explain(4)).said.nextAt).toBeNull();
    await run`update node_reports set facts = facts || '{"startTimeoutsMs": {"lxc": 90000, "kvm": 360000}}'
      where node_id = (select node_id from vms where id = 4)`;
    const inMs = Date.parse(ExplanationShape.parse((await explain(4)).said).nextAt ?? "") - Date.now();
    expect(Math.abs(inMs - 90_000)).toBeLessThan(30_000);
    await run`update vm_reports set state = 'running' where vm_id = 4`;
  });

  test("lists the nodes that refused a desktop, each with its reason, on the page too", async () => {
    await run`update vms set wish = 'running', wish_generation = 7, node_id = null,
      wished_by = 'user:ann@default', wished_at = now() where id = 1`;
    const detail = { candidates: [{ node: "node-a", reason: "it has 200 MB free of 2048 MB <b>" }] };
    await run`insert into vm_events (vm_id, code, text, wish_generation, detail)
      values (1, 'placement-refused', 'No node can take it.', 7, ${JSON.stringify(detail)}::text::jsonb)`;
    const { said } = await explain(1);
    expect(said).toMatchObject({
      difference: "No node can take it.",
      candidates: detail.candidates,
      advice: [{ command: "qvd node list" }],
    });
    const html = await pageOf(1);
    expect(html).toContain("it has 200 MB free of 2048 MB &lt;b&gt;");
    expect(html).toContain("qvd node list");
  });

  test("offers a tenant's administrator no command that is the site's", async () => {
    const moveTo = (tenant: string) => run`update administrators
      set tenant_id = (select id from tenants where name = ${tenant}) where login = 'acme-admin'`;
    await moveTo("default");
    const ofTenant = await admin.signIn("acme-admin");
    const text =
      "An administrator of the site can do this: Give one of these nodes what it lacks, or add a node.";
    expect((await explain(1, ofTenant)).said.advice).toEqual([{ text, command: null }]);
    const html = await (await getPage(admin, "/desktops/1", ofTenant)).text();
    expect(html).toContain(text);
    expect(html).not.toContain("qvd node list");
    await run`update vms set is_blocked = true where id = 1`;
    const said = JSON.stringify((await explain(1, ofTenant)).said.advice);
    expect(said).toContain("qvd vm unblock");
    expect(said).not.toContain("qvd node");
    await run`update vms set is_blocked = false where id = 1`;
    await moveTo("acme");
  });

  test("tells of a desktop that its node has blocked, and how to go on", async () => {
    await run`update vms set is_blocked = true, blocked_reason = 'it failed 9 times in a row, the last time like this: X.',
      wish = 'running' where id = 9`;
    await run`update vm_reports set crashes = 9, state = 'stopped' where vm_id = 9`;
    const { said } = await explain(9);
    expect(said.difference).toBe("It is blocked: it failed 9 times in a row, the last time like this: X.");
    expect(said.next).toBe("Nothing, until somebody unblocks it.");
    expect(JSON.stringify(said.advice)).toContain("See below why it kept failing");
  });

  test("tells of the place in the queue, as the list does", async () => {
    await run`update vm_reports set state = 'starting_1', queue_position = 12,
      queue_due_at = qvd_now() + interval '40 s', fault_text = null where vm_id = 2`;
    const { said } = await explain(2);
    expect(said).toMatchObject({ next: "Its turn comes, and it is started." });
    expect(said.difference).toContain("number 12 in the queue");
    expect(await pageOf(2)).toContain("number 12 in the queue");
    expect(await (await getPage(admin, "/desktops", me)).text()).toContain("number 12 in the queue");
  });

  test("is not for administrators of other tenants, nor about what isn't there", async () => {
    const acme = await admin.signIn("acme-admin");
    expect((await explain(4, acme)).status).toBe(404);
    expect((await explain(999)).status).toBe(404);
  });

  test("stands on the page of every desktop of the site", async () => {
    const rows = await run`select id from vms where deleted_at is null`;
    for (const { id } of rows) {
      const { status, said } = await explain(Number(id));
      expect([id, status]).toEqual([id, 200]);
      ExplanationShape.parse(said);
      expect(await pageOf(Number(id))).toContain("Explained");
    }
  });
});
