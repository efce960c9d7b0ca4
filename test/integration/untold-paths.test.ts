/** Where files lie on boxes is told to the site's administrators, and to no tenant's. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { type AdminApp, askApi, createAdminApp, getPage, type SignedInAs } from "../support/admin-app.ts";

const STATE = "/var/lib/qvd/vms/1";
const SHARED = "/srv/qvd/images/1.tar";
const INSIDE = "/etc/qvd/session.d/start";
const FAULT = `Mounting desktop 1: ${STATE}/root is not empty. All of it is in ${STATE}/log.`;

let admin: AdminApp;
let site: SignedInAs;
let tenant: SignedInAs;
let user = "";

beforeAll(async () => {
  admin = await createAdminApp();
  const { sql } = admin.database.open("qvd_owner");
  await sql`update administrators set tenant_id = (select id from tenants where name = 'default')
    where login = 'acme-admin'`;
  [site, tenant] = [await admin.signIn("admin"), await admin.signIn("acme-admin")];
  const [vm] = await sql`update vms set wish = 'running', wish_generation = 7, is_blocked = true,
    blocked_reason = ${`it failed 9 times in a row, the last time like this: ${FAULT}`}
    where id = 1 returning user_id`;
  user = String(vm?.user_id);
  await sql`insert into vm_reports (vm_id, node_id, epoch, state, fault_code, fault_text)
    select id, coalesce(node_id, 1), epoch, 'stopped', 'start-given-up', ${FAULT} from vms where id = 1
    on conflict (vm_id) do update set state = 'stopped', fault_code = 'start-given-up', fault_text = ${FAULT}`;
  for (const [code, text] of [
    ["start-given-up", FAULT],
    ["hook-failed", `The box's hook prestart (${STATE}/prestart) ended with 1.`],
    ["session-failed", `The session could not be prepared: ${INSIDE} ended with 1.`],
  ] as const)
    await sql`insert into vm_events (vm_id, code, text, wish_generation) values (1, ${code}, ${text}, 7)`;
  await sql`update dis set state = 'failed', fault = ${`ENOENT: no such file, open '${SHARED}'`}
    where id = (select min(d.id) from dis d join osfs o on o.id = d.osf_id
      where o.tenant_id = (select id from tenants where name = 'default'))`;
}, 120_000);
afterAll(() => admin.stop());

const PAGES = ["/", "/desktops", "/desktops/1", "/desktops/1/live", "/images"];
const ANSWERS = ["/vms", "/vms/1", "/vms/1/trail", "/vms/1/explain", "/images"];

async function readAll(as: SignedInAs): Promise<ReadonlyMap<string, string>> {
  const pages = [...PAGES, `/users/${user}`].map(
    async (path) => [path, await (await getPage(admin, path, as)).text()] as const,
  );
  const answers = ANSWERS.map(
    async (path) => [`API ${path}`, await (await askApi(admin, { method: "GET", path }, as)).text()] as const,
  );
  return new Map(await Promise.all([...pages, ...answers]));
}

const tells = (all: ReadonlyMap<string, string>, ...words: readonly string[]) =>
  [...all].filter(([, text]) => words.some((word) => text.includes(word))).map(([where]) => where);

test("no page or answer for a tenant's administrator has a path of a box", async () => {
  const all = await readAll(tenant);
  expect(tells(all, STATE, SHARED)).toEqual([]);
  expect(tells(all, "Mounting desktop 1")).toContain("/desktops/1");
  expect(tells(all, "Mounting desktop 1")).toContain("API /vms/1/explain");
});

test("places inside the desktop are told", async () => {
  expect(tells(await readAll(tenant), INSIDE)).toEqual(
    expect.arrayContaining(["/desktops/1", "API /vms/1/trail"]),
  );
});

test("the site's administrators read all of it", async () => {
  const all = await readAll(site);
  expect(tells(all, STATE)).toEqual(
    expect.arrayContaining(["/", "/desktops/1", "API /vms", "API /vms/1/trail", "API /vms/1/explain"]),
  );
  expect(tells(all, SHARED)).toEqual(expect.arrayContaining(["/images", "API /images"]));
});
