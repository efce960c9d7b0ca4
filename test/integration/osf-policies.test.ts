/** What an OSF promises its desktops: settable by those who may, the same by verb, API, page and command. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { isAppError } from "../../src/lib/errors.ts";
import type { Context } from "../../src/service/context.ts";
import { changeOsf } from "../../src/service/osf/change.ts";
import { createOsf } from "../../src/service/osf/create.ts";
import { deleteOsf } from "../../src/service/osf/delete.ts";
import {
  type AdminApp,
  askApi,
  createAdminApp,
  getPage,
  postForm,
  type SignedInAs,
} from "../support/admin-app.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { type Seed, seedSite } from "../support/db-seed.ts";

describe("the verb", () => {
  let database: TestDatabase;
  let seed: Seed;
  let admin: Context;
  beforeAll(async () => {
    database = await createTestDatabase();
    seed = await seedSite(database.open("qvd_owner").orm, { tenant: "policies" });
    admin = { db: database.open("qvd_admin").orm, actor: seed.tenantAdministrator };
  }, 120_000);
  afterAll(() => database.drop());

  const read = async () =>
    (await admin.db.execute(sql`select * from osfs where id = ${seed.osfId}`))[0] as Record<string, unknown>;
  const refusal = (attempt: Promise<unknown>) =>
    attempt.then(
      () => "done",
      (error) => (isAppError(error) ? `${error.code}: ${error.message}` : `${error}`),
    );

  test("sets every promise, in the words of a form", async () => {
    await changeOsf(admin, {
      osfId: seed.osfId,
      persistence: "folders",
      keptFolders: "/var/log, /srv/data",
      homeMb: "2048",
      systemMb: "4096",
      idleStopSeconds: "15m",
      onCrash: "leave",
      allowsNeighbours: "yes",
      expirySoftSeconds: "1h",
      expiryHardSeconds: "2d",
    });
    expect(await read()).toMatchObject({
      persistence: "folders",
      kept_folders: ["/var/log", "/srv/data"],
      home_mb: 2048,
      system_mb: 4096,
      idle_stop_seconds: 900,
      on_crash: "leave",
      allows_neighbours: true,
      expiry_soft_seconds: 3600,
      expiry_hard_seconds: 172_800,
    });
  });

  test("makes an application of it, with a program, and a desktop again", async () => {
    const { osfId } = seed;
    await changeOsf(admin, { osfId, isApplication: "yes", program: " libreoffice --calc " });
    expect(await read()).toMatchObject({ is_application: true, program: "libreoffice --calc" });
    await changeOsf(admin, { osfId, program: "none" });
    expect(await read()).toMatchObject({ is_application: true, program: null });
    await changeOsf(admin, { osfId, program: "xterm" });
    await changeOsf(admin, { osfId, isApplication: "no" });
    expect(await read()).toMatchObject({ is_application: false, program: null });
    expect(await refusal(changeOsf(admin, { osfId, program: "xterm" }))).toStartWith("bad-input: program:");
  });

  test("leaves alone what isn't named, and takes away what is emptied", async () => {
    await changeOsf(admin, { osfId: seed.osfId, homeMb: "", idleStopSeconds: "never", systemMb: null });
    expect(await read()).toMatchObject({
      home_mb: null,
      system_mb: null,
      idle_stop_seconds: null,
      on_crash: "leave",
    });
  });

  const REFUSED: readonly (readonly [rule: string, fields: Record<string, unknown>, words: string])[] = [
    ["a time that is none", { idleStopSeconds: "soon" }, "must be never, or a time"],
    ["more than a year", { idleStopSeconds: "366d" }, "at most a year"],
    ["a tiny home", { homeMb: "3" }, "16 to 16777216"],
    ["a folder that can't be kept", { persistence: "folders", keptFolders: "/proc" }, "/proc"],
    ["a relative folder", { keptFolders: ["var/log"] }, "absolute path"],
    ["no folders at all", { persistence: "folders", keptFolders: [] }, "name the folders"],
    ["a way to keep that nobody knows", { persistence: "some" }, "nothing, home, folders, everything"],
    ["an end before people are asked", { expiryHardSeconds: "30m" }, "must not be before"],
    ["what is neither yes nor no", { allowsNeighbours: "maybe" }, "true or false"],
  ];
  for (const [rule, fields, words] of REFUSED)
    test(`refuses ${rule}`, async () => {
      const before = await read();
      expect(await refusal(changeOsf(admin, { osfId: seed.osfId, ...fields } as never))).toContain(words);
      expect(await read()).toEqual(before);
    });

  test("keeps the kind of an OSF that has images", async () => {
    expect(await refusal(changeOsf(admin, { osfId: seed.osfId, hypervisor: "kvm" }))).toContain(
      "create another OSF",
    );
    const { osfId } = await createOsf(admin, { tenantId: seed.tenantId, name: "machines" });
    expect(await refusal(changeOsf(admin, { osfId, hypervisor: "kvm" }))).toBe("done");
  });

  const UNSUITED: readonly (readonly [hypervisor: "lxc" | "kvm", fields: Record<string, unknown>])[] = [
    ["kvm", { persistence: "folders", keptFolders: "/srv" }],
    ["kvm", { systemMb: "512" }],
    ["lxc", { hasAgent: "no" }],
    ["lxc", { offersConsole: "yes" }],
  ];
  for (const [hypervisor, fields] of UNSUITED)
    test(`refuses ${Object.keys(fields)[0]} to an OSF of ${hypervisor}, named, however it comes about`, async () => {
      const other = hypervisor === "lxc" ? "kvm" : "lxc";
      const field = Object.keys(fields)[0] ?? "";
      const name = `unsuited-${hypervisor}-${field}`;
      const { tenantId } = seed;
      const fieldOf = (attempt: Promise<unknown>) =>
        attempt.then(
          () => "done",
          (error) => (isAppError(error) && error.code === "bad-input" ? error.field : `${error}`),
        );
      expect(await fieldOf(createOsf(admin, { tenantId, name, hypervisor, ...fields } as never))).toBe(field);
      // Suited to the other kind, it stands in the way of becoming this one, until it is given up.
      const { osfId } = await createOsf(admin, { tenantId, name, hypervisor: other, ...fields } as never);
      expect(await fieldOf(changeOsf(admin, { osfId, hypervisor }))).toBe(field);
      const given = { persistence: "home", systemMb: "none", hasAgent: "yes", offersConsole: "no" };
      expect(await fieldOf(changeOsf(admin, { osfId, hypervisor, ...given } as never))).toBe("done");
      expect(await fieldOf(changeOsf(admin, { osfId, ...fields } as never))).toBe(field);
    });

  test("leaves what an earlier version took in nobody's way, and takes no more of it", async () => {
    const { tenantId } = seed;
    const { osfId } = await createOsf(admin, { tenantId, name: "of-yesterday", hypervisor: "kvm" });
    const owner = database.open("qvd_owner").orm;
    await owner.execute(
      sql`update osfs set system_mb = 512, persistence = 'folders', kept_folders = '{/srv}' where id = ${osfId}`,
    );
    // As the page sends it: everything, with one thing changed.
    const kept = { hypervisor: "kvm", systemMb: "512", persistence: "folders", keptFolders: "/srv" };
    const attempt = (fields: object) => refusal(changeOsf(admin, { osfId, ...fields } as never));
    expect(await attempt({ ...kept, name: "of-today" })).toBe("done");
    expect(await attempt({ ...kept, systemMb: "1024" })).toContain("systemMb");
    expect(await attempt({ ...kept, hypervisor: "lxc", offersConsole: "yes" })).toContain("offersConsole");
    expect(await attempt({ systemMb: "none", persistence: "home" })).toBe("done");
    expect(await attempt({ persistence: "folders" })).toContain("persistence");
  });

  test("deletes an OSF with its properties once nothing is made from it", async () => {
    const { osfId } = await createOsf(admin, { tenantId: seed.tenantId, name: "short-lived" });
    await database.open("qvd_owner").sql`
      insert into properties (osf_id, key, value) values (${osfId}, 'colour', 'blue')`;
    expect(await refusal(deleteOsf({ ...admin, actor: seed.aliceActor }, { osfId }))).toContain("forbidden");
    expect(await refusal(deleteOsf(admin, { osfId: seed.osfId }))).toMatch(
      /^conflict: .*it has \d+ images? and \d+ desktops?; delete them first/,
    );
    expect(await refusal(deleteOsf(admin, { osfId }))).toBe("done");
    expect(await refusal(deleteOsf(admin, { osfId }))).toContain("not-found");
    const rows = await database.open("qvd_owner").sql`
      select subject_name from audit_log where action = 'osf.delete'`;
    expect(rows).toMatchObject([{ subject_name: "short-lived" }]);
  });

  test("is refused to users, and writes what was changed into the audit log", async () => {
    const user = { ...admin, actor: seed.aliceActor };
    expect(await refusal(changeOsf(user, { osfId: seed.osfId, onCrash: "restart" }))).toContain("forbidden");
    await changeOsf(admin, { osfId: seed.osfId, onCrash: "restart" });
    const rows = await database.open("qvd_owner").sql`
      select detail from audit_log where action = 'osf.change' order by id desc limit 1`;
    expect(rows[0]?.detail).toEqual({ onCrash: "restart" });
  });
});

describe("the API and the page", () => {
  let app: AdminApp;
  let me: SignedInAs;
  beforeAll(async () => {
    app = await createAdminApp();
    me = await app.signIn("admin");
  }, 120_000);
  afterAll(() => app.stop());

  test("say and set the same; null takes away", async () => {
    const body = { name: "kiosk", persistence: "nothing", idleStopSeconds: 0, homeMb: 512 };
    const made = await askApi(app, { method: "POST", path: "/osfs", body }, me);
    const osf = (await made.json()) as Record<string, unknown>;
    expect(made.status).toBe(201);
    expect(osf).toMatchObject({ persistence: "nothing", idleStopSeconds: 0, homeMb: 512, hypervisor: "lxc" });
    const path = `/osfs/${osf.id}`;
    const changed = await askApi(
      app,
      { method: "PATCH", path, body: { homeMb: null, onCrash: "leave" } },
      me,
    );
    expect(await changed.json()).toMatchObject({ homeMb: null, onCrash: "leave", idleStopSeconds: 0 });
  });

  test("make an application of it, and no page loses it again", async () => {
    const id = (await app.database.open("qvd_owner").sql`select id from osfs where name = 'kiosk'`)[0]?.id;
    const body = { isApplication: true, program: "firefox --kiosk" };
    const changed = await askApi(app, { method: "PATCH", path: `/osfs/${id}`, body }, me);
    expect(await changed.json()).toMatchObject(body);
    const path = `/images/osf/${id}/change`;
    const shown = await (await getPage(app, path, me)).text();
    expect(shown).toMatch(/name="isApplication"[^>]*checked/);
    expect(shown).toContain('value="firefox --kiosk"');
    const fields = { name: "kiosk", memoryMb: "1024", cpus: "2", persistence: "nothing" };
    const ticked = { ...fields, isApplication: "yes", program: "firefox" };
    expect((await postForm(app, path, me, ticked)).status).toBe(303);
    const read = async () =>
      (await (await askApi(app, { method: "GET", path: `/osfs/${id}` }, me)).json()) as unknown;
    expect(await read()).toMatchObject({ isApplication: true, program: "firefox" });
    const refused = await postForm(app, path, me, { ...fields, program: "firefox" });
    expect([refused.status, (await refused.text()).includes("nly an application has one")]).toEqual([
      422,
      true,
    ]);
    expect((await postForm(app, path, me, { ...fields, program: "" })).status).toBe(303);
    expect(await read()).toMatchObject({ isApplication: false, program: null });
  });

  test("show the form with what is set, and what was typed when it is refused", async () => {
    const id = (await app.database.open("qvd_owner").sql`select id from osfs where name = 'kiosk'`)[0]?.id;
    const path = `/images/osf/${id}/change`;
    const page = await getPage(app, path, me);
    const shown = await page.text();
    expect(shown).toContain('value="nothing" selected');
    expect(shown).toContain("What outlives a stop");
    const typed = { name: "kiosk", memoryMb: "512", cpus: "1", persistence: "home", idleStopSeconds: "soon" };
    const refused = await postForm(app, path, me, typed);
    expect(refused.status).toBe(422);
    const again = await refused.text();
    expect(again).toContain("Must be never, or a time");
    expect(again).toContain('value="soon"');
    expect((await postForm(app, path, me, { ...typed, idleStopSeconds: "20m", homeMb: "64" })).status).toBe(
      303,
    );
    const json = await (await askApi(app, { method: "GET", path: `/osfs/${id}` }, me)).json();
    expect(json).toMatchObject({
      persistence: "home",
      idleStopSeconds: 1200,
      homeMb: 64,
      allowsNeighbours: false,
    });
  });

  test("delete what has neither images nor desktops, and say before why not", async () => {
    const made = await askApi(app, { method: "POST", path: "/osfs", body: { name: "brief" } }, me);
    const { id } = (await made.json()) as { id: number };
    const trial = await askApi(app, { method: "DELETE", path: `/osfs/${id}?trial=yes` }, me);
    expect(trial.status).toBe(204);
    const question = await (await getPage(app, `/images/osf/${id}/delete`, me)).text();
    expect(question).toContain("Delete brief?");
    expect((await postForm(app, `/images/osf/${id}/delete`, me, {})).status).toBe(303);
    expect((await askApi(app, { method: "GET", path: `/osfs/${id}` }, me)).status).toBe(404);
    const used = await (await getPage(app, "/images/osf/1/delete", me)).text();
    expect(used).toContain("delete them first");
    expect((await postForm(app, "/images/osf/1/delete", me, {})).status).toBe(409);
    expect((await askApi(app, { method: "DELETE", path: "/osfs/1" }, me)).status).toBe(409);
  });
});
