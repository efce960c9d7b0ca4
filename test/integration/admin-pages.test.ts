/** What pages say and what forms do, at the app's door. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  type AdminApp,
  createAdminApp,
  getPage,
  ORIGIN,
  postForm,
  type SignedInAs,
} from "../support/admin-app.ts";
import { PASSWORD } from "../support/wat-site.ts";

let admin: AdminApp;
let me: SignedInAs;

beforeAll(async () => {
  admin = await createAdminApp();
  me = await admin.signIn("admin");
});

afterAll(() => admin.stop());

async function readText(path: string): Promise<string> {
  return (await getPage(admin, path, me)).text();
}

function sql() {
  return admin.database.open("qvd_owner", { max: 1 }).sql;
}

describe("signing in", () => {
  async function trySignIn(login: string, password: string, next = ""): Promise<Response> {
    const shown = await getPage(admin, "/sign-in");
    const gate = /__Host-qvd-gate=([^;]+)/.exec(shown.headers.get("Set-Cookie") ?? "")?.[1] ?? "";
    return admin.app.request(`${ORIGIN}/sign-in${next}`, {
      method: "POST",
      headers: {
        ...{ Cookie: `__Host-qvd-gate=${gate}`, Origin: ORIGIN, "Sec-Fetch-Site": "same-origin" },
        "Content-Type": "application/x-www-form-urlencoded",
      },
      body: new URLSearchParams({ csrf: gate, login, password }).toString(),
    });
  }

  test("gives a cookie that scripts and other sites don't get, and leads where one wanted to go", async () => {
    const response = await trySignIn("admin", PASSWORD, "?next=%2Fdesktops%3Fstate%3Drunning");
    expect(response.status).toBe(303);
    expect(response.headers.get("Location")).toBe("/desktops?state=running");
    const cookie =
      response.headers.getSetCookie().find((each) => each.startsWith("__Host-qvd-session=")) ?? "";
    for (const part of ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"]) expect(cookie).toContain(part);
    expect(cookie).not.toContain("Domain");
  });

  for (const next of ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)"]) {
    test(`never leads to another site: ${next}`, async () => {
      const response = await trySignIn("admin", PASSWORD, `?next=${encodeURIComponent(next)}`);
      expect(response.headers.get("Location")).toBe("/");
    });
  }

  test("says the same of a wrong password and of nobody, and keeps the login", async () => {
    const answers = await Promise.all([trySignIn("admin", "wrong"), trySignIn("nobody", "wrong")]);
    for (const answer of answers) {
      expect(answer.status).toBe(401);
      expect(await answer.text()).toContain("don&#39;t belong together");
      expect(answer.headers.getSetCookie().join()).not.toContain("qvd-session");
    }
  });

  test("says when passwords can't be verified", async () => {
    const answer = await trySignIn("slow", "x");
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain("can&#39;t be verified");
  });

  test("needs the form that this browser was shown", async () => {
    const response = await admin.app.request(`${ORIGIN}/sign-in`, {
      method: "POST",
      headers: {
        Origin: ORIGIN,
        "Sec-Fetch-Site": "same-origin",
        "Content-Type": "application/x-www-form-urlencoded",
      },
      body: new URLSearchParams({ login: "admin", password: PASSWORD, csrf: "made-up" }).toString(),
    });
    expect(response.status).toBe(403);
  });
});

test("a fragment asked for after the sign-in is over sends the whole browser to sign in", async () => {
  const response = await admin.app.request(`${ORIGIN}/desktops/table`, { headers: { "HX-Request": "true" } });
  expect(response.headers.get("HX-Redirect")).toBe("/sign-in?next=%2F");
  const standing = await admin.app.request(`${ORIGIN}/desktops/4/start`, {
    method: "POST",
    headers: { "HX-Request": "true", "HX-Current-URL": `${ORIGIN}/desktops/4?events=65` },
  });
  expect(standing.headers.get("HX-Redirect")).toBe("/sign-in?next=%2Fdesktops%2F4%3Fevents%3D65");
  const elsewhere = await admin.app.request(`${ORIGIN}/desktops/4/start`, {
    method: "POST",
    headers: { Accept: "text/html", Referer: "https://evil.test/desktops" },
  });
  expect(elsewhere.headers.get("Location")).toBe("/sign-in?next=%2F");
  const upload = await admin.app.request(`${ORIGIN}/images/upload?name=a.tar`, {
    method: "PUT",
    headers: { Accept: "application/json" },
  });
  expect(upload.status).toBe(401);
});

describe("every page", () => {
  test("forbids what we never do by its headers", async () => {
    const { headers } = await getPage(admin, "/", me);
    const policy = headers.get("Content-Security-Policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("Cache-Control")).toBe("no-store");
  });

  test("has neither inline scripts nor inline styles, which the policy would break", async () => {
    for (const path of ["/", "/desktops", "/desktops/4", "/users", "/images", "/images/new", "/nodes"]) {
      const html = await readText(path);
      expect(html).not.toMatch(/<script(?![^>]*\ssrc=)/);
      expect(html).not.toMatch(/\sstyle=|<style|\son[a-z]+=|hx-on|javascript:/i);
    }
  });

  test("loads its files from us, for ever the same under the same name", async () => {
    const html = await readText("/");
    const paths = [...html.matchAll(/(?:src|href)="(\/static\/[^"]+)"/g)].map((match) => match[1] ?? "");
    expect(paths.length).toBe(5);
    for (const path of paths) {
      const response = await getPage(admin, path);
      expect(response.status).toBe(200);
      expect(response.headers.get("Cache-Control")).toContain("immutable");
    }
    expect((await getPage(admin, "/static/1/other.js")).status).toBe(404);
  });

  test("shows names as they are written, never as what they could do", async () => {
    const list = await readText("/desktops");
    expect(list).toContain("&lt;b&gt;bold&lt;/b&gt;");
    expect(list).not.toContain("<b>bold");
    const users = await readText("/users");
    expect(users).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(users).not.toContain("<script>alert");
    const search = await readText(`/desktops?search=${encodeURIComponent('"><img src=x>')}`);
    expect(search).not.toContain("<img");
  });

  test("that isn't there says so, whatever stands in its address", async () => {
    for (const path of [
      "/nowhere",
      "/desktops/9999",
      "/desktops/abc",
      "/desktops/0",
      "/users/99999999999999",
      "/images/-1/tag",
    ]) {
      const response = await getPage(admin, path, me);
      expect([path, response.status]).toEqual([path, 404]);
      expect(await response.text()).toContain('id="main"');
    }
  });
});

describe("lists", () => {
  test("narrow down by words and by state, and count what there is", async () => {
    expect(await readText("/desktops?search=carla")).not.toContain("ann-desk-1");
    const running = await readText("/desktops?state=running");
    expect(running).toContain("dmitri-desk-4");
    expect(running).not.toContain("ann-desk-1");
    expect(await readText("/desktops?search=10.91.0.5")).toContain("dmitri-desk-4");
    expect(await readText("/desktops?search=%25")).toContain("No desktop matches");
  });

  test("sort both ways and page without leaving one out", async () => {
    const names: string[] = [];
    for (let page = 1; page <= 5; page += 1) {
      const html = await readText(`/desktops?sort=-name&pageSize=2&page=${page}`);
      names.push(
        ...[...html.matchAll(/class="row-title" href="\/desktops\/\d+"[^>]*>([^<]+)</g)].map(
          (match) => match[1] ?? "",
        ),
      );
    }
    expect(new Set(names).size).toBe(9);
    expect(names).toEqual(names.toSorted().toReversed());
  });

  test("show the last page to those who ask for one beyond the end", async () => {
    for (const list of ["/desktops", "/users"]) {
      const html = await readText(`${list}?pageSize=4&page=99`);
      expect(html).toContain("row-title");
      expect(html).toContain("Previous");
      expect(html).not.toContain(">Next<");
    }
    expect(await readText("/users?search=nobody-like-it&page=9")).toContain("No user matches");
  });

  test("take odd addresses for their defaults", async () => {
    for (const query of ["page=-1", "page=x&pageSize=1e9", "sort=;drop", "state=odd", "search=%00"]) {
      expect([query, (await getPage(admin, `/desktops?${query}`, me)).status]).toEqual([query, 200]);
    }
  });

  test("give the fragment alone to htmx, with the address that shows the same", async () => {
    const response = await getPage(admin, "/desktops/table?search=carla", me);
    const html = await response.text();
    expect(html.startsWith('<div id="desktops"')).toBe(true);
    expect(response.headers.get("HX-Replace-Url")).toBe("/desktops?search=carla");
  });
});

describe("a form", () => {
  test("creates a user, and a desktop for them, each told by a sentence", async () => {
    const created = await postForm(admin, "/users", me, {
      ...{
        tenantId: "1",
        login: "Grete",
        fullName: "Grete",
        password: "long enough",
        passwordAgain: "long enough",
      },
    });
    expect(created.status).toBe(303);
    const place = created.headers.get("Location") ?? "";
    expect(await readText(place)).toContain("grete");
    const userId = place.split("/").at(-1) ?? "";
    const desktop = await postForm(admin, "/desktops", me, {
      userId,
      name: "grete-desk",
      osfId: "1",
      diTag: "default",
    });
    expect(desktop.headers.get("Location")).toMatch(/^\/desktops\/\d+$/);
    expect(admin.wakes.at(-1)).toMatch(/^vm \d+$/);
  });

  test("that is refused shows what was typed and says at each field what is wrong", async () => {
    const response = await postForm(admin, "/users", me, {
      ...{
        tenantId: "1",
        login: "no spaces please",
        password: "short",
        passwordAgain: "short",
        fullName: "Kept",
      },
    });
    expect(response.status).toBe(422);
    const html = await response.text();
    expect(html).toContain('value="no spaces please"');
    expect(html).toContain('value="Kept"');
    expect(html).toContain('id="login-error"');
    expect(html).toContain('id="password-error"');
    expect(html).not.toContain('value="short"');
  });

  test("says at its field when a name is taken", async () => {
    const response = await postForm(admin, "/desktops", me, {
      userId: "1",
      name: "ann-desk-1",
      osfId: "1",
      diTag: "default",
    });
    expect(response.status).toBe(422);
    expect(await response.text()).toContain("exists already");
  });

  test("sets a password, and never shows or logs it", async () => {
    const response = await postForm(admin, "/users/1/password", me, {
      password: "quite a secret",
      passwordAgain: "quite a secret",
    });
    expect(response.status).toBe(303);
    const rows = await sql()`select password_hash from user_credentials where user_id = 1`;
    expect(rows[0]?.password_hash).toBe("hash of 14");
    const audit = await sql()`select detail::text from audit_log where action = 'user.set-password'`;
    expect(JSON.stringify(audit)).not.toContain("secret");
  });

  test("starts and stops, in the administrator's name", async () => {
    expect(
      (await postForm(admin, "/desktops/1/start", me, { back: "/desktops?search=ann" })).headers.get(
        "Location",
      ),
    ).toBe("/desktops?search=ann");
    const rows = await sql()`select wish, wished_by from vms where id = 1`;
    expect(rows[0]).toEqual({ wish: "running", wished_by: "administrator:admin@*" });
    await postForm(admin, "/desktops/1/stop", me);
    expect((await sql()`select wish from vms where id = 1`)[0]?.wish).toBe("stopped");
  });

  test("starts all that were ticked, and says which were refused", async () => {
    const body = new URLSearchParams([
      ["csrf", me.csrf],
      ["vm", "5"],
      ["vm", "6"],
      ["vm", "9"],
      ["vm", "x"],
    ]).toString();
    const response = await admin.app.request(`${ORIGIN}/desktops/start`, {
      method: "POST",
      headers: {
        ...{ Cookie: me.cookie, Origin: ORIGIN, "Sec-Fetch-Site": "same-origin" },
        "Content-Type": "application/x-www-form-urlencoded",
      },
      body,
    });
    const told = decodeURIComponent(response.headers.get("Set-Cookie") ?? "");
    expect(told).toContain("Start asked for 2 desktops. 1 refused");
    expect(
      (await sql()`select id from vms where wish = 'running' and id in (5, 6, 9) order by id`).map(
        (row) => row.id,
      ),
    ).toEqual([5, 6]);
    const none = await postForm(admin, "/desktops/stop", me);
    expect(decodeURIComponent(none.headers.get("Set-Cookie") ?? "")).toContain("Tick desktops first");
  });

  test("that can't be done now goes back with the reason", async () => {
    const response = await postForm(admin, "/desktops/9/start", me, { back: "/desktops/9" });
    expect(response.status).toBe(303);
    expect(decodeURIComponent(response.headers.get("Set-Cookie") ?? "")).toContain("unblock it first");
  });

  test("never leads back to another site", async () => {
    const response = await postForm(admin, "/desktops/1/stop", me, { back: "https://evil.test/" });
    expect(response.headers.get("Location")).toBe("/desktops/1");
  });

  test("deletes only what is stopped, and asks before", async () => {
    const held = await readText("/desktops/4/delete");
    expect(held).toContain("stop it first");
    expect(held).not.toContain("Delete the desktop");
    const asked = await readText("/desktops/1/delete");
    expect(asked).toContain("Delete ann-desk-1?");
    expect(asked).toContain("Delete the desktop");
    const refused = await postForm(admin, "/desktops/4/delete", me);
    expect(refused.status).toBe(409);
    expect(await refused.text()).toContain("stop it first");
    expect((await postForm(admin, "/desktops/1/delete", me)).status).toBe(303);
    expect((await getPage(admin, "/desktops/1", me)).status).toBe(404);
  });

  test("moves a tag to a good image, and refuses a broken one", async () => {
    expect((await postForm(admin, "/images/1/tag", me, { tag: "default" })).status).toBe(303);
    const rows = await sql()`select di_id from di_tags where tag = 'default'`;
    expect(rows[0]?.di_id).toBe(1);
    const refused = await postForm(admin, "/images/3/tag", me, { tag: "default" });
    expect(refused.status).toBe(422);
    expect(await refused.text()).toContain("it is broken");
  });

  test("blocks a node, which lists say", async () => {
    await postForm(admin, "/nodes/1/block", me);
    expect(await readText("/nodes")).toContain("Unblock");
    expect(await readText("/")).toContain("Node node-a is blocked");
  });

  test("as large as a file is refused", async () => {
    const response = await postForm(admin, "/users", me, { login: "x".repeat(400_000) });
    expect(response.status).toBe(422);
  });
});

describe("the colours", () => {
  test("stay as chosen", async () => {
    const response = await postForm(admin, "/theme", me, { theme: "dark", back: "/users" });
    expect(response.headers.get("Location")).toBe("/users");
    const theme = response.headers.get("Set-Cookie")?.split(";")[0] ?? "";
    const page = await getPage(admin, "/", { ...me, cookie: `${me.cookie}; ${theme}` });
    expect(await page.text()).toContain('data-theme="dark"');
  });
});

describe("a desktop that was given up", () => {
  test("is offered to be started again, and stands in the overview", async () => {
    const [vm] = await sql()`
      update vms set wish = 'running', wish_generation = 9 where id in (
        select v.id from vms v join vm_reports r on r.vm_id = v.id where v.deleted_at is null and not v.is_blocked and r.fault_text is null limit 1)
      returning id, name`;
    await sql()`update vm_reports set fault_code = 'image-broken', fault_text = 'No image carries the tag default.',
      generation_seen = 9, next_try_at = null, state = 'stopped' where vm_id = ${vm?.id}`;
    const page = await readText(`/desktops/${vm?.id}`);
    expect(page).toContain("Start again");
    expect(page).toContain("No image carries the tag default.");
    const overview = await readText("/");
    expect(overview).toContain(`Desktop ${vm?.name}`);
    expect(overview).toContain(`href="/desktops/${vm?.id}"`);
    expect((await postForm(admin, `/desktops/${vm?.id}/start`, me)).status).toBe(303);
  });
});
