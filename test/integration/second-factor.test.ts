/** People with a second factor, from setting it up to losing it, over the auth socket and the real database. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import type { AuthClient } from "../../src/auth/client.ts";
import { parseBase32 } from "../../src/auth/totp/base32.ts";
import { auditLog, recoveryCodes, secondFactors, settings } from "../../src/db/schema/index.ts";
import { resetUserSecondFactor } from "../../src/service/user/reset-second-factor.ts";
import type { AuthAnswer } from "../../src/wire/auth/messages.ts";
import type { AuthReply } from "../../src/wire/auth/requests.ts";
import { type AuthSite, openAuthSite } from "../support/auth-site.ts";
import { SEED_PASSWORD } from "../support/db-seed.ts";
import { codeNow } from "../support/proof-pages.ts";

const never = new AbortController().signal;
let site: AuthSite;

beforeAll(async () => {
  site = await openAuthSite();
}, 120_000);
afterAll(() => site.stop());

type Asked = Parameters<AuthClient["verify"]>[0];
// An address for each keeps the throttle out of the others' way.
const origin = () => crypto.randomUUID();
const verify = (login: string, proof: Asked["proof"], kind: Asked["kind"] = "user") =>
  site.auth.verify({ kind, login, proof, origin: origin() }, never);
/** As a page does, which can ask for the code. */
const inBrowser = (login: string, more: object = {}, kind: Asked["kind"] = "user") =>
  verify(login, { kind: "password", password: SEED_PASSWORD, canAskForCode: true, ...more }, kind);
/** As NX clients do, with the code at the password's end. */
const byClient = (login: string, password: string) => verify(login, { kind: "password", password });

function assertOutcome<Outcome extends (AuthAnswer | AuthReply)["outcome"]>(
  answer: AuthAnswer | AuthReply,
  outcome: Outcome,
): asserts answer is Extract<AuthAnswer | AuthReply, { outcome: Outcome }> {
  expect(answer).toMatchObject({ outcome });
}

/** A code that wasn't shown yet: those of the steps before count as spent once a later one was. */
async function freshCode(secret: string, of: "user" | "administrator" = "user"): Promise<string> {
  const { orm } = site.database.open("qvd_owner");
  const own =
    of === "user" ? eq(secondFactors.userId, site.seed.alice.userId) : sql`administrator_id is not null`;
  await orm.update(secondFactors).set({ lastStep: 0 }).where(own);
  return codeNow(secret);
}

async function enrol(login: string, of: "user" | "administrator" = "user") {
  const proof = { kind: "password", password: SEED_PASSWORD } as const;
  const begun = await site.auth.ask({ kind: "begin-enrolment", of, login, proof, origin: origin() }, never);
  assertOutcome(begun, "enrolment-begun");
  const code = codeNow(begun.secret);
  const { ticket } = begun;
  const done = await site.auth.ask({ kind: "confirm-enrolment", ticket, code, origin: origin() }, never);
  assertOutcome(done, "enrolled");
  return { secret: begun.secret, codes: done.recoveryCodes, code, done };
}

const setPolicy = (value: string) =>
  site.database
    .open("qvd_owner")
    .orm.insert(settings)
    .values({ name: "auth.second-factor", value })
    .onConflictDoUpdate({ target: [settings.tenantId, settings.name], set: { value } });

test("somebody who is signed in is named by their tenant, and no other account's password counts", async () => {
  const begin = (login: string, tenant: string, password: string) => {
    const proof = { kind: "password", password } as const;
    return site.auth.ask(
      { kind: "begin-enrolment", of: "user", login, tenant, proof, origin: origin() },
      never,
    );
  };
  expect((await begin("alice", "default", SEED_PASSWORD)).outcome).toBe("enrolment-begun");
  expect((await begin("alice@default", "default", SEED_PASSWORD)).outcome).toBe("denied");
  expect((await begin("alice", "elsewhere", SEED_PASSWORD)).outcome).toBe("denied");
  expect((await begin("alice", "default", "")).outcome).toBe("denied");
});

describe("whoever has a second factor", () => {
  let set: Awaited<ReturnType<typeof enrol>>;
  let unspent: string;
  beforeAll(async () => {
    set = await enrol("alice");
  });

  test("is given ten recovery codes, and nothing that opens is in the database", async () => {
    expect(set.codes).toHaveLength(10);
    expect(set.done).toMatchObject({ person: { userId: site.seed.alice.userId }, by: "local" });
    const rows = await site.database.open("qvd_owner").orm.select().from(secondFactors);
    const sealed = Buffer.from(rows[0]?.sealedSecret ?? []);
    expect(sealed.includes(Buffer.from(parseBase32(set.secret) ?? []))).toBe(false);
  });

  test("is asked in a browser, and let in by the ticket and a code", async () => {
    const asked = await inBrowser("alice");
    assertOutcome(asked, "second-factor-needed");
    expect(asked.isEnrolled).toBe(true);
    const { ticket } = asked;
    const code = await freshCode(set.secret);
    expect(await verify("", { kind: "second-factor", ticket, code: "000000" })).toMatchObject({
      outcome: "denied",
    });
    expect(await verify("", { kind: "second-factor", ticket, code })).toMatchObject({
      outcome: "accepted",
      userId: site.seed.alice.userId,
      by: "local",
    });
    // Neither the code nor the ticket with it is good again.
    expect((await verify("", { kind: "second-factor", ticket, code })).outcome).toBe("denied");
    expect((await inBrowser("alice", { secondFactor: code })).outcome).toBe("denied");
  });

  test("puts the code behind the password in a client that has one field", async () => {
    const code = await freshCode(set.secret);
    expect((await byClient("alice", SEED_PASSWORD)).outcome).toBe("denied");
    expect((await byClient("alice", `wrong password${code}`)).outcome).toBe("denied");
    expect((await byClient("alice", `${SEED_PASSWORD}${code}`)).outcome).toBe("accepted");
    expect((await byClient("alice", `${SEED_PASSWORD}${code}`)).outcome).toBe("denied");
  });

  test("puts a recovery code there too, each once, when the phone is lost", async () => {
    const code = set.codes[9] ?? "";
    expect((await byClient("alice", `wrong password${code}`)).outcome).toBe("denied");
    expect((await byClient("alice", `${SEED_PASSWORD}${code.replace("-", "")}`)).outcome).toBe("denied");
    expect((await byClient("alice", `${SEED_PASSWORD}${code}`)).outcome).toBe("accepted");
    expect((await byClient("alice", `${SEED_PASSWORD}${code}`)).outcome).toBe("denied");
  });

  test("who shows one code twice at once is let in once", async () => {
    const code = await freshCode(set.secret);
    const both = await Promise.all([1, 2, 3].map(() => inBrowser("alice", { secondFactor: code })));
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(["accepted", "denied", "denied"]);
  });

  test("is let in by each recovery code once, and the count is kept", async () => {
    const [first = "", second = ""] = set.codes;
    expect((await inBrowser("alice", { secondFactor: first.toUpperCase() })).outcome).toBe("accepted");
    expect((await inBrowser("alice", { secondFactor: first })).outcome).toBe("denied");
    expect((await inBrowser("alice", { secondFactor: second.replace("-", "") })).outcome).toBe("accepted");
    const { orm } = site.database.open("qvd_owner");
    expect(await orm.$count(recoveryCodes, sql`used_at is null`)).toBe(7);
    const rows = await orm.select().from(auditLog).where(eq(auditLog.action, "second-factor.use"));
    expect(rows.at(-1)).toMatchObject({ actor: "user:alice@default", detail: { recoveryCodesLeft: 7 } });
  });

  test("needs both to renew the recovery codes, after which those of before are dead", async () => {
    const renew = (more: object) =>
      site.auth.ask(
        {
          kind: "renew-recovery-codes",
          of: "user",
          login: "alice",
          proof: { kind: "password", password: SEED_PASSWORD, canAskForCode: true, ...more },
          origin: origin(),
        },
        never,
      );
    expect((await renew({})).outcome).toBe("denied");
    const renewed = await renew({ secondFactor: await freshCode(set.secret) });
    assertOutcome(renewed, "codes-renewed");
    unspent = renewed.recoveryCodes[1] ?? "";
    expect((await inBrowser("alice", { secondFactor: set.codes[3] })).outcome).toBe("denied");
    expect((await inBrowser("alice", { secondFactor: renewed.recoveryCodes[0] })).outcome).toBe("accepted");
  });

  test("can't set up another over it, also with a ticket of before", async () => {
    const proof = { kind: "password", password: SEED_PASSWORD } as const;
    const again = { kind: "begin-enrolment", of: "user", login: "alice", proof, origin: origin() } as const;
    assertOutcome(await site.auth.ask(again, never), "refused");
    const asked = await inBrowser("alice");
    assertOutcome(asked, "second-factor-needed");
    const ticketProof = { kind: "second-factor", ticket: asked.ticket, code: "" } as const;
    const begun = await site.auth.ask({ ...again, proof: ticketProof, login: "" }, never);
    assertOutcome(begun, "enrolment-begun");
    const code = codeNow(begun.secret);
    const { ticket } = begun;
    assertOutcome(
      await site.auth.ask({ kind: "confirm-enrolment", ticket, code, origin: origin() }, never),
      "refused",
    );
  });

  test("isn't asked while the policy is off, and again afterwards", async () => {
    await setPolicy("off");
    expect((await byClient("alice", SEED_PASSWORD)).outcome).toBe("accepted");
    await setPolicy("optional");
    expect((await byClient("alice", SEED_PASSWORD)).outcome).toBe("denied");
  });

  test("may guess a few codes and no more, wherever from, while recovery codes go on", async () => {
    const outcomes: string[] = [];
    for (let guess = 0; guess < 8; guess++)
      outcomes.push((await inBrowser("alice", { secondFactor: `00000${guess}` })).outcome);
    expect(new Set(outcomes)).toEqual(new Set(["denied"]));
    expect((await inBrowser("alice", { secondFactor: await freshCode(set.secret) })).outcome).toBe("denied");
    expect((await byClient("alice", `${SEED_PASSWORD}${unspent}`)).outcome).toBe("accepted");
  });

  test("is helped by an administrator when all is lost", async () => {
    const context = { db: site.database.open("qvd_admin").orm, actor: site.seed.tenantAdministrator };
    await resetUserSecondFactor(context, { userId: site.seed.alice.userId });
    expect((await byClient("alice", SEED_PASSWORD)).outcome).toBe("accepted");
    expect(await site.database.open("qvd_owner").orm.$count(recoveryCodes)).toBe(0);
  });
});

describe("where a second factor is required", () => {
  beforeAll(async () => {
    await setPolicy("required");
  });
  afterAll(async () => {
    await setPolicy("optional");
  });

  test("whoever has none sets one up in the browser, and nothing else lets them in", async () => {
    expect((await byClient("bob", SEED_PASSWORD)).outcome).toBe("denied");
    const asked = await inBrowser("bob");
    assertOutcome(asked, "second-factor-needed");
    expect(asked.isEnrolled).toBe(false);
    expect(
      (await verify("", { kind: "second-factor", ticket: asked.ticket, code: "123456" })).outcome,
    ).not.toBe("accepted");
    const proof = { kind: "second-factor", ticket: asked.ticket, code: "" } as const;
    const begin = { kind: "begin-enrolment", of: "user", login: "", proof, origin: origin() } as const;
    assertOutcome(await site.auth.ask({ ...begin, of: "administrator" }, never), "denied");
    const begun = await site.auth.ask(begin, never);
    assertOutcome(begun, "enrolment-begun");
    const confirm = { kind: "confirm-enrolment", ticket: begun.ticket, origin: origin() } as const;
    assertOutcome(await site.auth.ask({ ...confirm, code: "000000" }, never), "denied");
    const code = codeNow(begun.secret);
    const done = await site.auth.ask({ ...confirm, code }, never);
    assertOutcome(done, "enrolled");
    expect(done.person).toEqual({ userId: site.seed.bob.userId });
    expect((await inBrowser("bob", { secondFactor: code })).outcome).toBe("denied");
  });

  test("administrators set up theirs in the same way, and the wrong kind of ticket is none", async () => {
    const { secret } = await enrol("admin@default", "administrator");
    const asked = await inBrowser("admin@default", {}, "administrator");
    assertOutcome(asked, "second-factor-needed");
    const code = await freshCode(secret, "administrator");
    const proof = { kind: "second-factor", ticket: asked.ticket, code } as const;
    expect((await verify("", proof)).outcome).toBe("denied");
    expect(await verify("", proof, "administrator")).toMatchObject({
      outcome: "accepted",
      administratorId: site.seed.administratorId,
    });
  });
});

test("a stranger's ticket, and one of another site, opens nothing", async () => {
  for (const ticket of ["", "x", "A".repeat(400), "é\u0000"]) {
    expect((await verify("", { kind: "second-factor", ticket, code: "123456" })).outcome).toBe("denied");
    const asked = await site.auth.ask(
      { kind: "confirm-enrolment", ticket, code: "123456", origin: origin() },
      never,
    );
    expect(asked.outcome).toBe("refused");
  }
});
