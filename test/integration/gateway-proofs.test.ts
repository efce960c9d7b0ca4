/** Users at the portal with a second factor and at a provider: the QVD port, the real auth process, a real provider. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createWebStore, randomWebToken } from "../../src/broker/gateway/web-store.ts";
import { type AuthSite, openAuthSite, setSiteSetting } from "../support/auth-site.ts";
import { type BrokerDoor, openBrokerDoor } from "../support/broker-door.ts";
import { SEED_PASSWORD } from "../support/db-seed.ts";
import { type PlayedProvider, playProvider } from "../support/play-provider.ts";
import { PortalClient } from "../support/portal-client.ts";
import { codeNow, hiddenField, shownSecret } from "../support/proof-pages.ts";
import { createTlsPair } from "../support/tls-pair.ts";

const never = new AbortController().signal;
let site: AuthSite;
let door: BrokerDoor;
let provider: PlayedProvider;

const set = (name: string, value: unknown) => setSiteSetting(site.database, name, value);

beforeAll(async () => {
  site = await openAuthSite();
  door = await openBrokerDoor({
    web: createWebStore(site.database.open("qvd_broker").orm, randomWebToken, "default-node"),
    auth: site.auth,
  });
  const { tlsKey, tlsCertificate } = await createTlsPair();
  const redirectUris = [`https://127.0.0.1:${door.port}/sign-in/oidc`];
  provider = await playProvider({ key: tlsKey, certificate: tlsCertificate, redirectUris, isPublic: true });
  await set("auth.oidc.ca", tlsCertificate);
}, 120_000);
afterAll(async () => {
  await door.close();
  provider.stop();
  await site.stop();
}, 60_000);

const codeOf = (html: string) => codeNow(shownSecret(html));
const recoveryIn = (html: string) =>
  [...html.matchAll(/<code>([a-z2-9]{5}-[a-z2-9]{5})<\/code>/g)].map(([, code = ""]) => code);

describe("somebody with a phone", () => {
  let codes: string[] = [];

  test("sets up a second factor from their page, with the password once more", async () => {
    const browser = new PortalClient(door.port);
    expect((await browser.signIn("alice", SEED_PASSWORD)).status).toBe(303);
    const csrf = hiddenField((await browser.ask("/second-factor")).text, "csrf");
    const post = (path: string, fields: Record<string, string>) =>
      browser.ask(`/second-factor/${path}`, { form: { csrf, ...fields } });
    expect((await post("begin", { password: "wrong password" })).text).toContain("not right");
    const begun = (await post("begin", { password: SEED_PASSWORD })).text;
    const code = codeOf(begun);
    codes = recoveryIn((await post("confirm", { "set-up": hiddenField(begun, "set-up"), code })).text);
    expect(codes).toHaveLength(10);
    expect((await post("remove", { password: SEED_PASSWORD, code: "000000" })).text).toContain("not right");
    codes = recoveryIn((await post("renew", { password: SEED_PASSWORD, code: codes[0] ?? "" })).text);
    expect(codes).toHaveLength(10);
  });

  test("is offered what they can do, in forms whose fields have ids apart", async () => {
    const idsFor = async (browser: PortalClient) =>
      [...(await browser.ask("/second-factor")).text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    const bob = new PortalClient(door.port);
    await bob.signIn("bob", SEED_PASSWORD);
    const without = await idsFor(bob);
    expect(without).toContain("begin-password");
    expect(without).not.toContain("renew-password");
    const alice = new PortalClient(door.port);
    const asked = await alice.signIn("alice", SEED_PASSWORD);
    const fields = { csrf: hiddenField(asked.text, "csrf"), ticket: hiddenField(asked.text, "ticket") };
    await alice.ask("/sign-in", { form: { ...fields, code: codes.pop() ?? "" } });
    const withOne = await idsFor(alice);
    expect(withOne).toContain("renew-password");
    expect(withOne).not.toContain("begin-password");
    expect(new Set(withOne).size).toBe(withOne.length);
    expect((await alice.ask("/second-factor")).text).toContain("9 recovery codes are left");
  });

  test("is offered nothing where their tenant takes no codes", async () => {
    await set("auth.second-factor", "off");
    const bob = new PortalClient(door.port);
    await bob.signIn("bob", SEED_PASSWORD);
    const { text } = await bob.ask("/second-factor");
    expect(text).not.toContain("begin-password");
    expect(text).toContain("None is set up.");
    await set("auth.second-factor", "optional");
  });

  test("is asked for the code at the next sign-in", async () => {
    const browser = new PortalClient(door.port);
    const asked = await browser.signIn("alice", SEED_PASSWORD);
    expect(asked.text).not.toContain(SEED_PASSWORD);
    const fields = { csrf: hiddenField(asked.text, "csrf"), ticket: hiddenField(asked.text, "ticket") };
    const wrong = await browser.ask("/sign-in", { form: { ...fields, login: "alice", code: "000000" } });
    expect(wrong.status).toBe(401);
    // The step stays, with who they are and that their password was right.
    expect([hiddenField(wrong.text, "ticket"), hiddenField(wrong.text, "login")]).toEqual([
      fields.ticket,
      "alice",
    ]);
    expect((await browser.ask("/sign-in", { form: { ...fields, code: codes[1] ?? "" } })).status).toBe(303);
    expect((await browser.ask("/")).status).toBe(200);
  });

  test("sets one up on the way in where the site requires it", async () => {
    await set("auth.second-factor", "required");
    const browser = new PortalClient(door.port);
    const asked = (await browser.signIn("bob", SEED_PASSWORD)).text;
    const form = {
      csrf: hiddenField(asked, "csrf"),
      "set-up": hiddenField(asked, "set-up"),
      code: codeOf(asked),
    };
    const done = await browser.ask("/sign-in/set-up", { form });
    expect(recoveryIn(done.text)).toHaveLength(10);
    expect((await browser.ask("/")).status).toBe(200);
    await set("auth.second-factor", "optional");
  });
});

describe("somebody with a provider", () => {
  const goThrough = async (browser: PortalClient, path: string) => {
    const begun = await browser.ask(path);
    expect(begun.status).toBe(303);
    const back = await provider.signIn(begun.location ?? "", "alice");
    return await browser.ask(back.pathname + back.search);
  };

  test("is offered it when the site has one", async () => {
    expect((await new PortalClient(door.port).ask("/sign-in")).text).not.toContain("Sign in with");
    await set("auth.oidc.issuer", provider.issuer);
    await set("l7r.auth.plugins", ["oidc"]);
    expect((await new PortalClient(door.port).ask("/sign-in")).text).toContain(
      "Sign in with your organisation",
    );
  });

  test("signs in there, and goes on to where they wanted to", async () => {
    const browser = new PortalClient(door.port);
    const done = await goThrough(browser, "/sign-in/oidc/begin?next=%2Fsecond-factor");
    // A redirect would leave out the cookie: the browser is still on its way from the provider.
    expect(done.status).toBe(200);
    expect(done.headers.get("Refresh")).toBe("0;url=/second-factor");
    expect((await browser.ask("/")).text).toContain("Unlock a locked screen");
  });

  test("gets a code that unlocks their screen, once", async () => {
    const browser = new PortalClient(door.port);
    await goThrough(browser, "/sign-in/oidc/begin");
    const code =
      /<code>([a-z2-9]{8})<\/code>/.exec((await goThrough(browser, "/unlock/begin")).text)?.[1] ?? "";
    const unlock = {
      kind: "unlock",
      userId: site.seed.alice.userId,
      vmId: site.seed.alice.vmId,
      secret: code,
      origin: "desktop 1",
    } as const;
    expect((await site.auth.ask(unlock, never)).outcome).toBe("unlocked");
    expect((await site.auth.ask(unlock, never)).outcome).toBe("denied");
  });

  test("gets no further without the cookie, or with somebody else's", async () => {
    const [mine, other] = [new PortalClient(door.port), new PortalClient(door.port)];
    const back = await provider.signIn((await mine.ask("/sign-in/oidc/begin")).location ?? "", "alice");
    expect((await new PortalClient(door.port).ask(back.pathname + back.search)).status).toBe(401);
    await other.ask("/sign-in/oidc/begin");
    expect((await other.ask(back.pathname + back.search)).status).toBe(401);
    expect((await other.ask("/")).status).toBe(303);
    expect((await mine.ask("/unlock/begin")).location).toStartWith("/sign-in");
  });
});
