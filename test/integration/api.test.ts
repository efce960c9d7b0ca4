/** `/api/v1` as programs use it. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type AdminApp, askApi, createAdminApp, ORIGIN, type SignedInAs } from "../support/admin-app.ts";
import { PASSWORD } from "../support/wat-site.ts";

let admin: AdminApp;
let me: SignedInAs;

beforeAll(async () => {
  admin = await createAdminApp();
  me = await admin.signIn("admin");
});

afterAll(() => admin.stop());

async function ask(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; json: Record<string, unknown> }> {
  const response = await askApi(admin, { method, path, body }, me);
  const text = await response.text();
  return { status: response.status, json: text === "" ? {} : JSON.parse(text) };
}

describe("signing in", () => {
  test("gives a token that opens the rest, until it is given back", async () => {
    const body = { login: "admin", password: PASSWORD };
    const begun = await askApi(admin, { method: "POST", path: "/sign-in", body });
    const { token, administrator } = (await begun.json()) as { token: string; administrator: unknown };
    expect(administrator).toEqual({ login: "admin", tenant: "*" });
    const mine = { token, csrf: "", cookie: "" };
    expect((await askApi(admin, { method: "GET", path: "/vms" }, mine)).status).toBe(200);
    expect((await askApi(admin, { method: "POST", path: "/sign-out" }, mine)).status).toBe(204);
    expect((await askApi(admin, { method: "GET", path: "/vms" }, mine)).status).toBe(401);
  });

  const REFUSED: readonly (readonly [string, unknown, number])[] = [
    ["a wrong password", { login: "admin", password: "wrong" }, 401],
    ["nobody", { login: "nobody", password: PASSWORD }, 401],
    ["no password", { login: "admin" }, 422],
    ["a login that isn't text", { login: 7, password: PASSWORD }, 422],
    ["auth away", { login: "slow", password: PASSWORD }, 503],
    ["a list", [], 422],
  ];
  for (const [name, body, status] of REFUSED) {
    test(`is refused with ${name}`, async () => {
      const response = await askApi(admin, { method: "POST", path: "/sign-in", body });
      expect(response.status).toBe(status);
      const { error } = (await response.json()) as { error: { code: string; message: string } };
      expect(error.message.length).toBeGreaterThan(10);
    });
  }

  test("takes nothing that a form of another site could send", async () => {
    const response = await admin.app.request(`${ORIGIN}/api/v1/sign-in`, {
      method: "POST",
      headers: { "Content-Type": "text/plain" },
      body: JSON.stringify({ login: "admin", password: PASSWORD }),
    });
    expect(response.status).toBe(422);
  });
});

describe("users", () => {
  test("are created, changed, blocked and deleted", async () => {
    const created = await ask("POST", "/users", { login: "hans", fullName: "Hans", password: "long enough" });
    expect(created).toMatchObject({
      status: 201,
      json: { login: "hans", tenant: "default", isBlocked: false, desktops: 0 },
    });
    const path = `/users/${created.json.id}`;
    expect(await ask("PATCH", path, { fullName: "Hans Huber" })).toMatchObject({
      status: 200,
      json: { fullName: "Hans Huber" },
    });
    expect((await ask("POST", `${path}/block`)).status).toBe(204);
    expect(await ask("GET", path)).toMatchObject({ json: { isBlocked: true } });
    expect((await ask("POST", `${path}/unblock`)).status).toBe(204);
    expect((await ask("PUT", `${path}/password`, { password: "another one" })).status).toBe(204);
    expect((await ask("DELETE", path)).status).toBe(204);
    expect((await ask("GET", path)).status).toBe(404);
  });

  test("are refused with the field that is wrong", async () => {
    const short = await ask("POST", "/users", { login: "ida", password: "short" });
    expect(short).toMatchObject({ status: 422, json: { error: { code: "bad-input", field: "password" } } });
    const taken = await ask("POST", "/users", { login: "ann", password: "long enough" });
    expect(taken).toMatchObject({ status: 409, json: { error: { code: "conflict", field: "login" } } });
    const tenant = await ask("POST", "/users", { login: "ida", password: "long enough", tenant: "nowhere" });
    expect(tenant).toMatchObject({ status: 422, json: { error: { field: "tenant" } } });
    const odd = await ask("POST", "/users", { login: { a: 1 }, password: 7 });
    expect(odd.status).toBe(422);
    const owner = await ask("DELETE", "/users/1");
    expect(owner).toMatchObject({ status: 409, json: { error: { code: "conflict" } } });
  });

  test("of another tenant are made by naming it", async () => {
    const made = await ask("POST", "/users", { login: "ann", password: "long enough", tenant: "acme" });
    expect(made).toMatchObject({ status: 201, json: { tenant: "acme" } });
  });
});

describe("desktops", () => {
  test("are listed by state, owner and words, a page at a time", async () => {
    expect(await ask("GET", "/vms?pageSize=4&page=3")).toMatchObject({ json: { total: 9, page: 3 } });
    expect(await ask("GET", "/vms?state=starting")).toMatchObject({ json: { total: 2 } });
    expect(await ask("GET", "/vms?state=zombie_2")).toMatchObject({ json: { total: 1 } });
    expect(await ask("GET", "/vms?user=1")).toMatchObject({ json: { total: 2 } });
    expect(await ask("GET", "/vms?state=odd")).toMatchObject({
      status: 422,
      json: { error: { field: "state" } },
    });
    expect(await ask("GET", "/vms?user=ann")).toMatchObject({ status: 422 });
  });

  test("are created, changed, started, stopped, blocked and deleted", async () => {
    const created = await ask("POST", "/vms", { name: "spare", userId: 1, osfId: 1 });
    expect(created).toMatchObject({
      status: 201,
      json: { name: "spare", tag: "default", state: "stopped", wish: "stopped" },
    });
    const path = `/vms/${created.json.id}`;
    expect(await ask("PATCH", path, { tag: "previous" })).toMatchObject({ json: { tag: "previous" } });
    expect((await ask("POST", `${path}/start`)).status).toBe(204);
    expect(await ask("GET", path)).toMatchObject({ json: { wish: "running" } });
    expect(await ask("DELETE", path)).toMatchObject({ status: 409 });
    expect((await ask("POST", `${path}/stop`)).status).toBe(204);
    expect((await ask("POST", `${path}/block`, { reason: "broken fan" })).status).toBe(204);
    expect(await ask("GET", path)).toMatchObject({ json: { isBlocked: true, blockedReason: "broken fan" } });
    expect(await ask("POST", `${path}/start`)).toMatchObject({
      status: 403,
      json: { error: { code: "blocked" } },
    });
    expect((await ask("POST", `${path}/unblock`)).status).toBe(204);
    expect((await ask("POST", `${path}/disconnect`)).status).toBe(204);
    expect((await ask("DELETE", path)).status).toBe(204);
    expect(admin.wakes.filter((wake) => wake === `vm ${created.json.id}`).length).toBe(8);
  });

  test("tell their trail, newest first, page by page", async () => {
    const first = await ask("GET", "/vms/4/trail?pageSize=3");
    const items = first.json.items as { id: number; code: string }[];
    expect(items.map((item) => item.code)).toEqual([
      "session-connected",
      "desktop-running",
      "agent-connected",
    ]);
    const next = await ask("GET", `/vms/4/trail?pageSize=3&before=${items.at(-1)?.id}`);
    expect((next.json.items as { code: string }[])[0]?.code).toBe("container-started");
  });

  test("have their live session listed", async () => {
    expect(await ask("GET", "/sessions?live=true")).toMatchObject({
      json: { total: 1, items: [{ vmId: 4, user: "dmitri" }] },
    });
    expect((await ask("POST", "/vms/4/disconnect")).status).toBe(204);
    const rows = await admin.database.open("qvd_owner").sql`select end_wished_by from sessions`;
    expect(rows[0]?.end_wished_by).toBe("administrator:admin@*");
  });
});

describe("images", () => {
  test("are enrolled from the incoming folder, tagged when ready, and deleted when unused", async () => {
    const osf = await ask("POST", "/osfs", { name: "tiny", memoryMb: 256, cpus: 0.5 });
    expect(osf).toMatchObject({ status: 201, json: { memoryMb: 256, cpus: 0.5, tenant: "default" } });
    expect(await ask("PATCH", `/osfs/${osf.json.id}`, { memoryMb: 512 })).toMatchObject({
      json: { memoryMb: 512 },
    });
    const made = await ask("POST", "/images", { osfId: osf.json.id, fileName: "tiny.tar", version: "v1" });
    expect(made).toMatchObject({ status: 201, json: { state: "new", tags: [], version: "v1" } });
    const path = `/images/${made.json.id}`;
    expect(await ask("PUT", `${path}/tags/default`)).toMatchObject({ status: 409 });
    await admin.database.open("qvd_owner").sql`update dis set state = 'ready' where file_name = 'tiny.tar'`;
    const wokenBy = async (asked: Promise<unknown>) => {
      admin.wakes.length = 0;
      await asked;
      return [...admin.wakes];
    };
    const both = ["image", "vm"];
    expect(await wokenBy(ask("PUT", `${path}/tags/pilot`))).toEqual(both);
    expect(await ask("GET", path)).toMatchObject({ json: { tags: ["pilot"] } });
    expect(await ask("DELETE", path)).toMatchObject({ status: 409 });
    expect((await ask("DELETE", `${path}/tags/pilot`)).status).toBe(204);
    expect(await ask("POST", `${path}/retire`)).toMatchObject({ status: 409 });
    const publishing = ask("POST", `${path}/publish`);
    expect(await wokenBy(publishing)).toEqual(both);
    expect(await publishing).toMatchObject({ json: { tags: ["default", "head"] } });
    expect(await ask("POST", `${path}/publish`, { tags: "pilot" })).toMatchObject({ status: 422 });
    expect((await ask("DELETE", `${path}/tags/head`)).status).toBe(409);
    expect(await wokenBy(ask("POST", `${path}/retire`))).toEqual(both);
    expect(await ask("GET", path)).toMatchObject({ json: { tags: [], retiredAt: expect.any(String) } });
    expect((await ask("POST", `${path}/block`)).status).toBe(204);
    expect((await ask("DELETE", path)).status).toBe(204);
  });

  test("are enrolled by an address, which is shown", async () => {
    const sourceUrl = "https://images.example.org/tiny.tar";
    const made = await ask("POST", "/images", { osfId: 1, sourceUrl });
    expect(made).toMatchObject({
      status: 201,
      json: { sourceUrl, fileName: "tiny.tar", kind: "archive", doneBytes: null },
    });
    for (const bad of ["file:///etc/shadow", "http://a:b@example.org/x", 7]) {
      const refused = await ask("POST", "/images", { osfId: 1, sourceUrl: bad });
      expect(refused).toMatchObject({ status: 422, json: { error: { field: "sourceUrl" } } });
    }
    expect((await ask("DELETE", `/images/${made.json.id}`)).status).toBe(204);
  });

  test("of a path instead of a name are refused", async () => {
    for (const fileName of ["../secrets/tls.key", "/etc/passwd", ".hidden", "a/b", ""]) {
      const refused = await ask("POST", "/images", { osfId: 1, fileName });
      expect(refused).toMatchObject({ status: 422, json: { error: { field: "fileName" } } });
    }
  });
});

describe("nodes", () => {
  test("are shown with what is wrong, blocked and unblocked", async () => {
    expect(await ask("GET", "/nodes")).toMatchObject({
      json: { items: [{ name: "node-a", isLeaseValid: true }] },
    });
    expect((await ask("POST", "/nodes/1/block")).status).toBe(204);
    expect(await ask("GET", "/nodes/1")).toMatchObject({ json: { isBlocked: true } });
    expect((await ask("POST", "/nodes/1/unblock")).status).toBe(204);
  });
});

describe("errors", () => {
  test("are JSON with a code and a sentence, whatever was asked", async () => {
    for (const [method, path] of [
      ["GET", "/nothing"],
      ["GET", "/vms/x"],
      ["DELETE", "/users/99999"],
      ["PUT", "/vms/1"],
    ]) {
      const { status, json } = await ask(method ?? "", path ?? "");
      expect([path, status]).toEqual([path, 404]);
      expect(json).toMatchObject({ error: { code: "not-found" } });
    }
  });

  test("of a body that is no JSON say so", async () => {
    const headers = { Authorization: `Bearer ${me.token}`, "Content-Type": "application/json" };
    const response = await admin.app.request(`${ORIGIN}/api/v1/users`, {
      method: "POST",
      headers,
      body: "{oops",
    });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ error: { code: "bad-input" } });
  });
});

describe("a wish for many desktops", () => {
  const START = "/vms/start";
  const ids = async () =>
    (await ask("GET", "/vms")).json.items as readonly { id: number; isBlocked: boolean; osfId: number }[];
  const wishedAll = async () => await ask("POST", "/vms/stop", { all: true });

  test("names them, an OSF, or all", async () => {
    const all = await ids();
    const free = all.filter(({ isBlocked }) => !isBlocked);
    await wishedAll();
    const two = free.slice(0, 2).map(({ id }) => id);
    expect((await ask("POST", START, { ids: two })).json).toEqual({ wished: 2, unchanged: 0, refused: [] });
    const osfId = free[0]?.osfId;
    const ofOsf = (await ask("POST", START, { osfId })).json;
    expect(Number(ofOsf.wished) + Number(ofOsf.unchanged)).toBe(
      free.filter((vm) => vm.osfId === osfId).length,
    );
    const stopped = (await wishedAll()).json;
    expect(Number(stopped.wished) + Number(stopped.unchanged)).toBe(all.length);
  });

  test("says of each why it was refused", async () => {
    const [one] = (await ids()).filter(({ isBlocked }) => !isBlocked);
    const { status, json } = await ask("POST", START, { ids: [one?.id, 987_654] });
    expect(status).toBe(200);
    expect(json.refused).toMatchObject([{ id: 987_654, code: "not-found" }]);
    expect((await ask("POST", START, { ids: [987_654] })).status).toBe(404);
    await wishedAll();
  });

  test("on trial changes nothing", async () => {
    const [one] = (await ids()).filter(({ isBlocked }) => !isBlocked);
    const trial = await ask("POST", `${START}?trial=yes`, { ids: [one?.id] });
    expect(trial.json).toMatchObject({ wished: 1 });
    expect((await ask("GET", `/vms/${one?.id}`)).json).toMatchObject({ wish: "stopped" });
  });

  test.each([[{}], [{ ids: ["1"] }], [{ ids: [1], all: true }], [{ all: "yes" }], [{ osfId: 0 }]])(
    "given as %p is refused",
    async (body) => {
      expect((await ask("POST", START, body)).status).toBe(422);
    },
  );

  test("stays within the asker's tenant", async () => {
    const acme = await admin.signIn("acme-admin");
    const body = { all: true };
    const response = await askApi(admin, { method: "POST", path: `${START}?trial=yes`, body }, acme);
    const answer = (await response.json()) as { wished: number; refused: readonly unknown[] };
    expect(answer.wished + answer.refused.length).toBeLessThan((await ids()).length);
  });
});
