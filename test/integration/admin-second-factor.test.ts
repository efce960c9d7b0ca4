/** Administrators' sign-in with a second factor and at a provider, in the pages, with the real auth process behind. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import type { AuthClient } from "../../src/auth/client.ts";
import { hashPassword } from "../../src/auth/password.ts";
import { parseBase32 } from "../../src/auth/totp/base32.ts";
import {
  administratorCredentials,
  auditLog,
  secondFactors,
  userCredentials,
  users,
} from "../../src/db/schema/index.ts";
import { asId, type TenantId, type UserId } from "../../src/domain/ids.ts";
import { createToken } from "../../src/service/token/create.ts";
import { type AdminApp, askApi, createAdminApp, getPage, ORIGIN, postForm } from "../support/admin-app.ts";
import { type AuthProcess, startAuthProcess } from "../support/auth-process.ts";
import { setSiteSetting } from "../support/auth-site.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { playProvider } from "../support/play-provider.ts";
import { codeNow, hiddenField, shownSecret } from "../support/proof-pages.ts";
import { createTlsPair } from "../support/tls-pair.ts";
import { PASSWORD } from "../support/wat-site.ts";

let database: TestDatabase;
let admin: AdminApp;
let auth: AuthClient;
let authProcess: AuthProcess;

beforeAll(async () => {
  database = await createTestDatabase();
  authProcess = await startAuthProcess(database);
  auth = authProcess.auth;
  admin = await createAdminApp({ database, auth: authProcess.admin });
  const passwordHash = await hashPassword(PASSWORD);
  await database.open("qvd_owner").orm.update(administratorCredentials).set({ passwordHash });
}, 120_000);
afterAll(async () => {
  await authProcess.stop();
  await admin.stop();
});

const set = (name: string, value: unknown) => setSiteSetting(database, name, value);

/** A browser at the sign-in page. */
function visit() {
  const csrf = `gate-${crypto.randomUUID()}`;
  const as = { token: "", csrf, cookie: `__Host-qvd-gate=${csrf}` };
  return (path: string, fields: Record<string, string>) => postForm(admin, path, as, fields);
}

let secret = "";
let codes: string[] = [];

describe("an administrator who needs a second factor", () => {
  test("sets it up on the way in, and is given recovery codes once", async () => {
    await set("auth.second-factor", "required");
    const post = visit();
    const asked = await (await post("/sign-in", { login: "admin", password: PASSWORD })).text();
    expect(asked).toContain("<svg");
    secret = shownSecret(asked);
    const ticket = hiddenField(asked, "set-up");
    expect((await post("/sign-in/set-up", { "set-up": ticket, code: "000000" })).status).toBe(401);
    const done = await post("/sign-in/set-up", { "set-up": ticket, code: codeNow(secret) });
    expect(done.headers.getSetCookie().join()).toContain("__Host-qvd-session=");
    codes = [...(await done.text()).matchAll(/<code>([a-z2-9]{5}-[a-z2-9]{5})<\/code>/g)].map(
      (match) => match[1] ?? "",
    );
    expect(codes).toHaveLength(10);
  });

  test("is asked for the code in a step of its own, which carries no password", async () => {
    const post = visit();
    const asked = await (await post("/sign-in", { login: "admin", password: PASSWORD })).text();
    expect(asked).not.toContain(PASSWORD);
    const ticket = hiddenField(asked, "ticket");
    expect((await post("/sign-in", { ticket, code: "000000" })).status).toBe(401);
    const done = await post("/sign-in", { ticket, code: codes[0] ?? "" });
    expect(done.status).toBe(303);
    expect(done.headers.getSetCookie().join()).toContain("__Host-qvd-session=");
  });

  test("sends the code along at the API, whose refusal names the field", async () => {
    const body = { login: "admin", password: PASSWORD };
    const refused = await askApi(admin, { method: "POST", path: "/sign-in", body });
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ error: { field: "code" } });
    const done = await askApi(admin, { method: "POST", path: "/sign-in", body: { ...body, code: codes[1] } });
    expect(done.status).toBe(200);
  });

  test("no forged form gets to a code", async () => {
    const as = { token: "", csrf: "mine", cookie: "__Host-qvd-gate=theirs" };
    for (const path of ["/sign-in", "/sign-in/set-up"])
      expect((await postForm(admin, path, as, { ticket: "x", code: "1" })).status).toBe(403);
  });
});

test("an administrator renews codes and removes it from their own page, with both factors once more", async () => {
  await set("auth.second-factor", "optional");
  const as = await admin.signIn("admin");
  const post = (path: string, fields: Record<string, string>) =>
    postForm(admin, `/account/second-factor/${path}`, as, { password: PASSWORD, ...fields });
  expect(await (await getPage(admin, "/account", as)).text()).toContain("8 recovery codes are left");
  expect((await post("renew", { code: "000000" })).status).toBe(422);
  expect((await post("begin", {})).status).toBe(422);
  const renewed = await (await post("renew", { code: codes[2] ?? "" })).text();
  const fresh = /<code>([a-z2-9]{5}-[a-z2-9]{5})<\/code>/.exec(renewed)?.[1] ?? "";
  expect((await post("remove", { code: fresh, password: "wrong password" })).status).toBe(422);
  const second = [...renewed.matchAll(/<code>([a-z2-9]{5}-[a-z2-9]{5})<\/code>/g)][1]?.[1] ?? "";
  expect((await post("remove", { code: second })).status).toBe(200);
  const page = await (await getPage(admin, "/account", as)).text();
  expect(page).toContain("Set up a second factor");
});

describe("a user's page", () => {
  test("shows second factor and tokens, and takes both away", async () => {
    const owner = database.open("qvd_owner").orm;
    const [ann] = await owner.select().from(users).where(eq(users.login, "ann"));
    const userId = ann?.id;
    if (userId === undefined) throw new Error("ann is there");
    await owner.insert(secondFactors).values({ userId, sealedSecret: new Uint8Array(1), lastStep: 0 });
    const system = { db: owner, actor: { kind: "system", what: "test" }, origin: "192.0.2.44" } as const;
    const randomToken = () => crypto.randomUUID();
    const { tokenId } = await createToken(
      system,
      { randomToken },
      { userId, isMultiUse: true, lifetimeSeconds: 60 },
    );
    await set("auth.second-factor", "optional");
    const as = await admin.signIn("admin");
    const page = await (await getPage(admin, `/users/${userId}`, as)).text();
    expect(page).toContain("Reset second factor");
    expect(page).toContain("192.0.2.44");
    const listed = await (await askApi(admin, { method: "GET", path: `/users/${userId}/tokens` }, as)).json();
    expect(listed).toMatchObject({ items: [{ id: tokenId, state: "good", origin: "192.0.2.44" }] });
    expect((await postForm(admin, `/users/${userId}/tokens/${tokenId}/revoke`, as)).status).toBe(303);
    expect((await postForm(admin, `/users/${userId}/second-factor/reset`, as)).status).toBe(303);
    const after = await (await getPage(admin, `/users/${userId}`, as)).text();
    expect(after).toContain("None set up");
    expect(after).not.toContain("192.0.2.44");
    const other = await admin.signIn("acme-admin");
    for (const path of [`/users/${userId}/second-factor`, `/users/${userId}/tokens/${tokenId}`])
      expect((await askApi(admin, { method: "DELETE", path }, other)).status).toBe(404);
  });
});

const kept = "gezdgnbvgy3tqojqgezdgnbvgy3tqojq";
const never = new AbortController().signal;

async function makeUser(login: string): Promise<UserId> {
  const owner = database.open("qvd_owner").orm;
  const tenantId = asId<TenantId>(1);
  const [row] = await owner.insert(users).values({ tenantId, login }).returning({ id: users.id });
  if (row === undefined) throw new Error(`${login} is there`);
  await owner.insert(userCredentials).values({ userId: row.id, passwordHash: await hashPassword(PASSWORD) });
  return row.id;
}

/** As the page does where people sign in. */
function signIn(login: string, more: object = {}) {
  const proof = { kind: "password", password: PASSWORD, canAskForCode: true, ...more } as const;
  return auth.verify({ kind: "user", login, proof, origin: crypto.randomUUID() }, never);
}

describe("a second factor of QVD 4", () => {
  let path: string;
  let userId: UserId;
  const put = async (login: string, body: unknown) =>
    await askApi(admin, { method: "PUT", path, body }, await admin.signIn(login));
  const lena = (more: object) => signIn("lena", more);

  beforeAll(async () => {
    userId = await makeUser("lena");
    path = `/users/${userId}/second-factor`;
  });

  test("is refused of a stranger, and in another form, before anything is kept", async () => {
    expect((await askApi(admin, { method: "PUT", path, body: { secret: kept } })).status).toBe(401);
    expect((await put("acme-admin", { secret: kept })).status).toBe(404);
    for (const secret of [undefined, 7, "", "MZXW6", `${kept}1`, "A".repeat(129)]) {
      const refused = await put("admin", { secret });
      expect(refused.status).toBe(422);
      const text = await refused.text();
      expect(JSON.parse(text)).toMatchObject({ error: { field: "secret" } });
      expect(text).not.toContain(kept);
    }
    const asked = { kind: "seal-second-factor", secret: kept } as const;
    // Whoever isn't the admin process.
    expect((await auth.ask(asked, never)).outcome).toBe("denied");
    expect((await lena({})).outcome).toBe("accepted");
  });

  test("goes on with the app that has it, and nobody can read it again", async () => {
    expect((await put("admin", { secret: ` ${kept.slice(0, 16)} ${kept.slice(16)}==` })).status).toBe(204);
    expect((await lena({})).outcome).toBe("second-factor-needed");
    expect((await lena({ secondFactor: codeNow(kept) })).outcome).toBe("accepted");
    const owner = database.open("qvd_owner").orm;
    const [factor] = await owner.select().from(secondFactors).where(eq(secondFactors.userId, userId));
    const secretBytes = Buffer.from(parseBase32(kept) ?? []);
    expect(Buffer.from(factor?.sealedSecret ?? []).includes(secretBytes)).toBe(false);
    const shown = await askApi(admin, { method: "GET", path }, await admin.signIn("admin"));
    expect(await shown.json()).toEqual({ isSetUp: true, since: expect.any(String), recoveryCodesLeft: 0 });
    const audit = await owner.select().from(auditLog).where(eq(auditLog.action, "user.set-second-factor"));
    expect(audit).toMatchObject([{ actor: "administrator:admin@*", subjectName: "lena" }]);
    expect(JSON.stringify(audit).toLowerCase()).not.toContain(kept);
  });

  test("never goes over one that is set up", async () => {
    const again = await put("admin", { secret: "A".repeat(32) });
    expect(again.status).toBe(409);
    expect(await again.text()).toContain("reset it first");
  });
});

describe("a second factor of QVD 4, on the user's page", () => {
  let userId: UserId;
  const form = () => `/users/${userId}/second-factor`;
  beforeAll(async () => {
    userId = await makeUser("mona");
  });

  test("is offered to whoever has none", async () => {
    const as = await admin.signIn("admin");
    const page = await (await getPage(admin, `/users/${userId}`, as)).text();
    expect(page).toContain(`href="${form()}"`);
    expect(await (await getPage(admin, form(), as)).text()).toContain(`action="${form()}"`);
  });

  test("is set by nobody of another tenant, nor without the right", async () => {
    const foreign = await admin.signIn("acme-admin");
    expect((await getPage(admin, form(), foreign)).status).toBe(404);
    expect((await postForm(admin, form(), foreign, { secret: kept })).status).toBe(404);
    const owner = database.open("qvd_owner").sql;
    await owner`update role_acls set acl = 'user.see-main.' where acl = '*'`;
    const refused = await postForm(admin, form(), await admin.signIn("admin"), { secret: kept });
    await owner`update role_acls set acl = '*' where acl = 'user.see-main.'`;
    expect(refused.status).toBe(403);
    expect(await refused.text()).not.toContain(kept);
    expect((await signIn("mona")).outcome).toBe("accepted");
  });

  test("comes back with what is wrong at its field, and without what was typed", async () => {
    const as = await admin.signIn("admin");
    for (const secret of ["", `${kept}1`]) {
      const refused = await postForm(admin, form(), as, { secret });
      expect(refused.status).toBe(422);
      const text = await refused.text();
      expect(text).toContain("Must be 16 to 128 of A-Z 2-7, as QVD 4 kept it.");
      expect(text).toContain('aria-invalid="true"');
      expect(text).not.toContain(kept);
    }
  });

  test("goes on with the app that has it, and is offered no second time", async () => {
    const as = await admin.signIn("admin");
    const done = await postForm(admin, form(), as, { secret: kept });
    expect([done.status, done.headers.get("Location")]).toEqual([303, `/users/${userId}`]);
    expect((await signIn("mona")).outcome).toBe("second-factor-needed");
    expect((await signIn("mona", { secondFactor: codeNow(kept) })).outcome).toBe("accepted");
    const page = await (await getPage(admin, `/users/${userId}`, as)).text();
    expect(page).not.toContain(`href="${form()}"`);
    expect(page).toContain("Reset second factor");
    const again = await postForm(admin, form(), as, { secret: kept });
    expect(again.status).toBe(422);
    expect(await again.text()).toContain("reset it first");
    const { orm } = database.open("qvd_owner");
    const audit = await orm.select().from(auditLog).where(eq(auditLog.subjectName, "mona"));
    expect(audit).toMatchObject([{ action: "user.set-second-factor", actor: "administrator:admin@*" }]);
  });
});

test("an administrator signs in at the site's provider", async () => {
  const { tlsKey, tlsCertificate } = await createTlsPair();
  const redirectUris = [`${ORIGIN}/sign-in/oidc`];
  const provider = await playProvider({
    key: tlsKey,
    certificate: tlsCertificate,
    redirectUris,
    isPublic: true,
  });
  expect(await (await getPage(admin, "/sign-in")).text()).not.toContain("Sign in with");
  await set("auth.oidc.issuer", provider.issuer);
  await set("auth.oidc.ca", tlsCertificate);
  await set("auth.oidc.label", "Example & Sons");
  await set("auth.administrators.plugins", ["oidc"]);
  await set("auth.oidc.groups.roles", ["qvd-admins=administrator"]);
  expect(await (await getPage(admin, "/sign-in")).text()).toContain("Sign in with Example &amp; Sons");
  provider.claims.set("dora", { groups: ["qvd-admins"] });
  const begun = await getPage(admin, "/sign-in/oidc/begin");
  const cookie = begun.headers.getSetCookie().join().split(";")[0] ?? "";
  const back = await provider.signIn(begun.headers.get("Location") ?? "", "dora");
  const request = (headers: Record<string, string>) =>
    admin.app.request(back.href, { headers: { Accept: "text/html", ...headers } });
  expect((await request({})).status).toBe(401);
  const done = await request({ Cookie: cookie });
  expect(done.status).toBe(303);
  expect(done.headers.getSetCookie().join()).toContain("__Host-qvd-session=");
  provider.stop();
}, 30_000);
