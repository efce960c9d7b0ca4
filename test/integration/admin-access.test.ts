/** Who may not: every route there is, asked by those who have no business there. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  type AdminApp,
  askApi,
  createAdminApp,
  getPage,
  ORIGIN,
  postForm,
  type SignedInAs,
} from "../support/admin-app.ts";

let admin: AdminApp;
let site: SignedInAs;
let acme: SignedInAs;

beforeAll(async () => {
  admin = await createAdminApp();
  site = await admin.signIn("admin");
  acme = await admin.signIn("acme-admin");
});

afterAll(() => admin.stop());

type Route = { readonly method: string; readonly path: string };

/** What anybody may ask for. */
const OPEN: ReadonlySet<string> = new Set([
  "GET /static/*",
  "GET /sign-in",
  "POST /sign-in",
  "POST /sign-in/set-up",
  "GET /sign-in/oidc/begin",
  "GET /sign-in/oidc",
  "POST /api/v1/sign-in",
  "GET /api/v1/ca",
  "POST /api/v1/join/:id",
]);

/** Read from the app itself, so that a new route is in the table at once. */
function listRoutes(): readonly Route[] {
  const seen = new Map<string, Route>();
  for (const { method, path } of admin.app.routes) {
    const name = `${method} ${path}`;
    if (method !== "ALL" && !OPEN.has(name))
      seen.set(name, {
        method,
        path: path
          .replace(":kind", "vm")
          .replace(":id", "1")
          .replace(":tag", "default")
          .replace(":token", "1")
          .replace(":key", "printer"),
      });
  }
  return [...seen.values()];
}

const isApi = (route: Route) => route.path.startsWith("/api/");

function ask(route: Route, headers: Readonly<Record<string, string>>, body?: string): Promise<Response> {
  const isBodiless = route.method === "GET";
  const init = { method: route.method, headers, ...(isBodiless ? {} : { body: body ?? "" }) };
  return Promise.resolve(admin.app.request(ORIGIN + route.path, init));
}

/** What could have been changed by somebody who may not. */
async function readState(): Promise<string> {
  const owner = admin.database.open("qvd_owner").sql;
  const rows = await owner`select (select count(*) from audit_log) audits, (select count(*) from users) users,
    (select count(*) from vms where deleted_at is null) vms, (select sum(wish_generation) from vms) wishes,
    (select count(*) from dis) dis, (select count(*) from di_tags) tags`;
  return JSON.stringify(rows);
}

describe("a stranger", () => {
  test("gets no page and no answer of any route, and changes nothing", async () => {
    const before = await readState();
    const routes = listRoutes();
    expect(routes.length).toBeGreaterThan(80);
    const leaks: string[] = [];
    for (const route of routes) {
      const response = await ask(route, {
        Accept: "text/html",
        Origin: ORIGIN,
        "Sec-Fetch-Site": "same-origin",
      });
      const isRefused = isApi(route)
        ? response.status === 401
        : response.status === 303 && (response.headers.get("Location") ?? "").startsWith("/sign-in");
      if (!isRefused) leaks.push(`${route.method} ${route.path}: ${response.status}`);
    }
    expect(leaks).toEqual([]);
    expect(await readState()).toBe(before);
  });

  test("asks for join codes a few times a minute, and keeps nobody else from it", async () => {
    const guess = async (address: string) => {
      const env = { address };
      const path = `${ORIGIN}/api/v1/join/${crypto.randomUUID()}`;
      return (await admin.app.request(path, { method: "POST" }, env)).status;
    };
    const statuses: number[] = [];
    for (let n = 0; n < 60; n++) statuses.push(await guess("192.0.2.1"));
    expect(statuses[0]).toBe(404);
    // The minute may turn in between.
    expect(statuses.filter((status) => status === 404).length).toBeLessThanOrEqual(30);
    expect(statuses.at(-1)).toBe(503);
    expect(await guess("192.0.2.2")).toBe(404);
  });

  test("with a made-up token or cookie gets no further", async () => {
    const forged: SignedInAs = {
      token: "a".repeat(43),
      csrf: "b",
      cookie: `__Host-qvd-session=${"a".repeat(43)}`,
    };
    expect((await getPage(admin, "/desktops", forged)).status).toBe(303);
    expect((await askApi(admin, { method: "GET", path: "/vms" }, forged)).status).toBe(401);
  });

  test("can't use a cookie at the API, nor a token at the pages", async () => {
    const api = await admin.app.request(`${ORIGIN}/api/v1/vms`, { headers: { Cookie: site.cookie } });
    expect(api.status).toBe(401);
    const page = await admin.app.request(`${ORIGIN}/desktops`, {
      headers: { Authorization: `Bearer ${site.token}` },
    });
    expect(page.status).toBe(303);
  });
});

describe("a page of somebody else's", () => {
  const FORGERIES: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
    ["a foreign origin", { Origin: "https://evil.test", "Sec-Fetch-Site": "cross-site" }, "right"],
    [
      "another host of the site",
      { Origin: "https://other.wat.test", "Sec-Fetch-Site": "same-site" },
      "right",
    ],
    ["no word of where it comes from", {}, "right"],
    ["no origin to speak of", { Origin: "null" }, "right"],
    ["no token", { Origin: ORIGIN, "Sec-Fetch-Site": "same-origin" }, ""],
    ["somebody else's token", { Origin: ORIGIN, "Sec-Fetch-Site": "same-origin" }, "wrong"],
    ["a token of other letters", { Origin: ORIGIN, "Sec-Fetch-Site": "same-origin" }, "odd"],
  ];

  for (const [name, headers, token] of FORGERIES) {
    test(`changes nothing by any form, with ${name}`, async () => {
      const before = await readState();
      const tokens = { right: site.csrf, wrong: acme.csrf, odd: "é".repeat(site.csrf.length) };
      const csrf = new Map(Object.entries(tokens)).get(token) ?? "";
      const body = new URLSearchParams({ csrf, tag: "default", vm: "1", theme: "dark" }).toString();
      const leaks: string[] = [];
      for (const route of listRoutes().filter((each) => !isApi(each) && each.method !== "GET")) {
        const type = { "Content-Type": "application/x-www-form-urlencoded" };
        const response = await ask(route, { Cookie: site.cookie, ...type, ...headers }, body);
        if (response.status !== 403) leaks.push(`${route.method} ${route.path}: ${response.status}`);
      }
      expect(leaks).toEqual([]);
      expect(await readState()).toBe(before);
    });
  }

  test("can't send JSON or plain text in the place of a form", async () => {
    for (const type of ["application/json", "text/plain"]) {
      const headers = {
        Cookie: site.cookie,
        Origin: ORIGIN,
        "Sec-Fetch-Site": "same-origin",
        "Content-Type": type,
      };
      const response = await ask(
        { method: "POST", path: "/desktops/1/start" },
        headers,
        `{"csrf":"${site.csrf}"}`,
      );
      expect(response.status).toBe(403);
    }
  });
});

describe("the administrator of another tenant", () => {
  test("finds none of the tenant's things, and changes none, by any route that names one", async () => {
    const before = await readState();
    const leaks: string[] = [];
    for (const route of listRoutes().filter(
      (each) => each.path.includes("/1") || each.path.includes("/nodes"),
    )) {
      const response = await askAs(route, acme);
      const isRefused = [403, 404, 409, 422].includes(response.status);
      if (!isRefused) leaks.push(`${route.method} ${route.path}: ${response.status}`);
    }
    expect(leaks).toEqual([]);
    expect(await readState()).toBe(before);
  });

  test("sees none of them in lists", async () => {
    for (const path of ["/", "/desktops", "/users", "/images"]) {
      const html = await (await getPage(admin, path, acme)).text();
      expect(html).not.toContain("ann-desk");
      expect(html).not.toContain("Ann Ford");
      expect(html).not.toContain("office");
      expect(html).not.toContain("node-a");
    }
    for (const path of ["/vms", "/users", "/osfs", "/images", "/sessions"]) {
      expect(await (await askApi(admin, { method: "GET", path }, acme)).json()).toMatchObject({
        items: [],
        total: 0,
      });
    }
  });

  test("sees its own tenant, administrators and audit, and nobody else's", async () => {
    const listed = await askApi(admin, { method: "GET", path: "/tenants" }, acme);
    expect(await listed.json()).toMatchObject({ items: [{ name: "acme" }], total: 1 });
    const pages = ["administrators", "tenants", "audit"].map((part) => `/settings/${part}`);
    const [administrators, tenants, audit] = await Promise.all(
      pages.map(async (path) => (await getPage(admin, path, acme)).text()),
    );
    expect(administrators).toContain("acme-admin");
    expect(administrators).not.toContain("The whole site");
    expect(tenants).toContain(">acme<");
    expect(tenants).not.toContain(">default<");
    expect(audit).not.toContain("user.create");
    expect(audit).not.toContain("ann");
  });

  test("can't start many desktops of others at once", async () => {
    const before = await readState();
    const response = await postForm(admin, "/desktops/start", acme, { vm: "1" });
    expect(response.headers.get("Set-Cookie")).toContain("refused");
    expect(await readState()).toBe(before);
  });
});

/** With all that a form or a call of the route may want, so that only the right is missing. */
function askAs(route: Route, as: SignedInAs): Promise<Response> {
  const fields = {
    ...{ login: "x", name: "x", fullName: "x", password: "long enough", passwordAgain: "long enough" },
    ...{ diTag: "default", tag: "pilot", memoryMb: "1024", cpus: "1", userId: "1", osfId: "1" },
    secret: "gezdgnbvgy3tqojq",
  };
  if (isApi(route)) {
    const headers = { Authorization: `Bearer ${as.token}`, "Content-Type": "application/json" };
    return ask(route, headers, JSON.stringify(fields));
  }
  if (route.method === "GET") return getPage(admin, route.path, as);
  return postForm(admin, route.path, as, fields);
}

describe("a sign-in", () => {
  test("is over for page and API at once when signed out", async () => {
    const mine = await admin.signIn("admin");
    expect((await getPage(admin, "/", mine)).status).toBe(200);
    expect((await postForm(admin, "/sign-out", mine)).headers.get("Location")).toBe("/sign-in");
    expect((await getPage(admin, "/", mine)).status).toBe(303);
    expect((await askApi(admin, { method: "GET", path: "/vms" }, mine)).status).toBe(401);
  });

  test("is over when it has expired, or its administrator is blocked", async () => {
    const owner = admin.database.open("qvd_owner").sql;
    const mine = await admin.signIn("acme-admin");
    await owner`update administrators set is_blocked = true where login = 'acme-admin'`;
    expect((await getPage(admin, "/", mine)).status).toBe(303);
    await owner`update administrators set is_blocked = false where login = 'acme-admin'`;
    expect((await getPage(admin, "/", mine)).status).toBe(200);
    await owner`update administrator_sessions set expires_at = now() - interval '1 second' where csrf_token = ${mine.csrf}`;
    expect((await getPage(admin, "/", mine)).status).toBe(303);
  });
});
