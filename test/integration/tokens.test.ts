/** Bearer tokens, from their making to their end, over the auth socket and the real database. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import { hashPassword } from "../../src/auth/password.ts";
import { listUserTokens } from "../../src/db/queries/user-tokens.ts";
import { auditLog, settings, users, userTokens } from "../../src/db/schema/index.ts";
import { asId, type TokenId } from "../../src/domain/ids.ts";
import { createToken, MOST_TOKENS } from "../../src/service/token/create.ts";
import { revokeToken } from "../../src/service/token/revoke.ts";
import { sweepTokens } from "../../src/service/token/sweep.ts";
import { setUserPassword } from "../../src/service/user/set-password.ts";
import { beginWebSession } from "../../src/service/web-session/begin.ts";
import { findWebSession } from "../../src/service/web-session/find.ts";
import { type AuthSite, openAuthSite, setSiteSetting } from "../support/auth-site.ts";

const never = new AbortController().signal;
let site: AuthSite;

beforeAll(async () => {
  site = await openAuthSite();
}, 120_000);
afterAll(() => site.stop());

type Wish = {
  isMultiUse?: boolean;
  vmId?: number;
  lifetimeSeconds?: number;
  parameters?: Record<string, string>;
};

async function make(wish: Wish = {}) {
  const request = {
    kind: "create-token",
    userId: site.seed.alice.userId,
    isMultiUse: true,
    origin: "192.0.2.5",
  } as const;
  const made = await site.auth.ask({ ...request, ...wish }, never);
  if (made.outcome !== "token-created") throw new Error(JSON.stringify(made));
  return made;
}

const show = (token: string, kind: "user" | "administrator" = "user") =>
  site.auth.verify({ kind, login: "", proof: { kind: "token", token }, origin: crypto.randomUUID() }, never);
const owner = () => site.database.open("qvd_owner").orm;

describe("a token", () => {
  test("stands for its user, as often as it was made for", async () => {
    const many = await make();
    expect(many.token).toMatch(/^[0-9A-Za-z]{43}$/);
    for (let use = 0; use < 3; use++)
      expect(await show(many.token)).toMatchObject({
        outcome: "accepted",
        userId: site.seed.alice.userId,
        by: "token",
      });
    const once = await make({ isMultiUse: false });
    const both = await Promise.all([show(once.token), show(once.token)]);
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(["accepted", "denied"]);
    expect((await show(once.token)).outcome).toBe("denied");
  });

  test("is bound to a desktop when so made", async () => {
    const { token } = await make({ vmId: site.seed.alice.vmId });
    expect(await show(token)).toMatchObject({ outcome: "accepted", vmId: site.seed.alice.vmId });
    expect(await show((await make()).token)).not.toHaveProperty("vmId");
    const lost = {
      kind: "create-token",
      userId: site.seed.alice.userId,
      vmId: 999_999,
      isMultiUse: true,
      origin: "x",
    } as const;
    expect((await site.auth.ask(lost, never)).outcome).toBe("refused");
  });

  test("gives the desktop what the authenticator of its maker gave", async () => {
    const parameters = { "qvd.vm.user.home": "/home/of-alice", "qvd.client.audio.sound.enable": "0" };
    const { token } = await make({ parameters });
    for (let use = 0; use < 2; use++)
      expect(await show(token)).toMatchObject({ outcome: "accepted", parameters });
    expect(await show((await make()).token)).toMatchObject({ parameters: {} });
  });

  test("is in the database as a hash only", async () => {
    const { token } = await make();
    const rows = JSON.stringify(await owner().select().from(userTokens));
    expect(rows).not.toContain(token);
    expect(rows).not.toContain(Buffer.from(token).toString("base64"));
  });

  test("ends by its time, which the tenant bounds", async () => {
    const { token, tokenId } = await make({ lifetimeSeconds: 60 });
    const id = asId<TokenId>(tokenId);
    expect((await show(token)).outcome).toBe("accepted");
    await owner().update(userTokens).set({ expiresAt: sql`qvd_now()` }).where(eq(userTokens.id, id));
    expect((await show(token)).outcome).toBe("denied");
    await owner().insert(settings).values({ name: "auth.token.lifetime", value: 120 });
    const long = asId<TokenId>((await make({ lifetimeSeconds: 86_400 })).tokenId);
    const [row] = await owner().select().from(userTokens).where(eq(userTokens.id, long));
    expect(Number(row?.expiresAt) - Number(row?.createdAt)).toBeLessThan(121_000);
    await owner().delete(settings);
  });

  test("opens nothing once it is revoked, nor while its user is blocked", async () => {
    const { token, tokenId } = await make();
    const setBlocked = (isBlocked: boolean) =>
      owner().update(users).set({ isBlocked }).where(eq(users.id, site.seed.alice.userId));
    await setBlocked(true);
    expect((await show(token)).outcome).toBe("denied");
    const asked = {
      kind: "create-token",
      userId: site.seed.alice.userId,
      isMultiUse: true,
      origin: "x",
    } as const;
    expect((await site.auth.ask(asked, never)).outcome).toBe("refused");
    await setBlocked(false);
    expect((await show(token)).outcome).toBe("accepted");
    const context = { db: site.database.open("qvd_admin").orm, actor: site.seed.tenantAdministrator };
    await revokeToken(context, { tokenId: asId<TokenId>(tokenId) });
    expect((await show(token)).outcome).toBe("denied");
    const listed = await listUserTokens(context.db, { userId: site.seed.alice.userId });
    expect(listed.find(({ id }) => id === tokenId)?.state).toBe("revoked");
  });

  test("opens nothing once it is given back, which nobody needs more for than to have it", async () => {
    const { token, tokenId } = await make();
    const giveBack = (given: string) =>
      site.auth.ask({ kind: "give-back-token", token: given, origin: "192.0.2.5" }, never);
    expect((await giveBack("nobody's")).outcome).toBe("removed");
    expect((await show(token)).outcome).toBe("accepted");
    expect((await giveBack(token)).outcome).toBe("removed");
    expect((await show(token)).outcome).toBe("denied");
    const [line] = await owner().select().from(auditLog).where(eq(auditLog.action, "token.give-back"));
    expect(line).toMatchObject({ subjectId: site.seed.alice.userId, detail: { tokenId } });
  });

  test("ends with the password that it was made by, and so does every sign-in by browser", async () => {
    const { token } = await make();
    const system = { db: owner(), actor: { kind: "system", what: "test" } } as const;
    const randomToken = () => crypto.randomUUID();
    const { userId } = site.seed.alice;
    const mine = await beginWebSession(system, { randomToken }, { userId });
    const bobs = await beginWebSession(system, { randomToken }, { userId: site.seed.bob.userId });
    const admin = { db: site.database.open("qvd_admin").orm, actor: site.seed.tenantAdministrator };
    await setUserPassword(admin, { hashPassword }, { userId, password: "another password" });
    expect((await show(token)).outcome).toBe("denied");
    expect(await findWebSession(owner(), mine.token)).toBeUndefined();
    expect(await findWebSession(owner(), bobs.token)).toBeDefined();
  });

  test("counts whatever the chain is made of, and where the policy lets it", async () => {
    const { token } = await make();
    const outcomeWith = async (name: string, value: unknown) => {
      await setSiteSetting(site.database, name, value);
      const { outcome } = await show(token);
      await owner().delete(settings);
      return outcome;
    };
    for (const words of [[], ["ldap"], ["oidc"]])
      expect(await outcomeWith("l7r.auth.plugins.tail", words)).toBe("accepted");
    expect(await outcomeWith("auth.policy", "deny by=token")).toBe("denied");
    expect(await outcomeWith("auth.policy", "allow by=token\ndeny")).toBe("accepted");
    expect(await outcomeWith("auth.policy", "allow by=local\ndeny")).toBe("denied");
    expect(await outcomeWith("auth.policy", "allow by=token user=bob\ndeny")).toBe("denied");
    expect(await outcomeWith("auth.policy", "second-factor")).toBe("accepted");
    // It has no groups, whoever had it made.
    expect(await outcomeWith("auth.policy", "allow group=staff\ndeny")).toBe("denied");
    expect(await outcomeWith("auth.policy", "allow by=token\nallow group=staff\ndeny")).toBe("accepted");
    expect(await outcomeWith("auth.policy", "deny group=guests")).toBe("accepted");
  });

  test("is no administrator's, and nothing that is none is a token", async () => {
    const { token } = await make();
    expect((await show(token, "administrator")).outcome).toBe("denied");
    for (const text of ["", "x", token.slice(1), `${token}0`, "\u0000", "a".repeat(500), "' or 1=1 --"])
      expect((await show(text)).outcome).toBe("denied");
  });
});

test("of one user there are so many at most, and with one more the oldest goes", async () => {
  const context = {
    db: site.database.open("qvd_auth").orm,
    actor: { kind: "system", what: "auth" },
  } as const;
  const randomToken = () => crypto.randomUUID();
  const input = { userId: site.seed.bob.userId, isMultiUse: true, lifetimeSeconds: 60 };
  const first = await createToken(context, { randomToken }, input);
  for (let made = 1; made <= MOST_TOKENS; made++) await createToken(context, { randomToken }, input);
  const ids = (
    await owner().select().from(userTokens).where(eq(userTokens.userId, site.seed.bob.userId))
  ).map(({ id }) => id);
  expect(ids).toHaveLength(MOST_TOKENS);
  expect(ids).not.toContain(first.tokenId);
}, 30_000);

test("what is over for a week is forgotten, and nothing else", async () => {
  await owner().delete(userTokens);
  const [old, fresh] = [await make(), await make()];
  const id = asId<TokenId>(old.tokenId);
  await owner()
    .update(userTokens)
    .set({ expiresAt: sql`qvd_now() - interval '8 days'` })
    .where(eq(userTokens.id, id));
  const context = {
    db: site.database.open("qvd_auth").orm,
    actor: { kind: "system", what: "auth" },
  } as const;
  expect(await sweepTokens(context)).toBe(1);
  expect((await show(fresh.token)).outcome).toBe("accepted");
});
