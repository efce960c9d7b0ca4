import { expect, test } from "bun:test";
import { createMemoryMarks } from "../../test/support/memory-marks.ts";
import { asId, type TenantId, type UserId } from "../domain/ids.ts";
import { silentLog } from "../lib/log.ts";
import { decideVerdict } from "./answer-question.ts";
import type { Verdict } from "./authenticator.ts";
import { SiteMarks } from "./marks.ts";
import { SignInThrottle } from "./sign-in-throttle.ts";
import { SiteThrottle } from "./site-throttle.ts";

const ORIGIN = "192.0.2.1";
const never = new AbortController().signal;
const MALLORY: Verdict = {
  outcome: "accepted",
  account: {
    id: { userId: asId<UserId>(7) },
    login: "mallory",
    tenantId: asId<TenantId>(1),
    tenantName: "default",
  },
  by: "local",
};

test("who waits for a look is told to retry when somebody who has guessed less takes the place", async () => {
  const clock = { nowMs: () => 1_000, monotonicMs: () => 1_000 };
  const throttle = new SignInThrottle(clock);
  const asked: (string | undefined)[] = [];
  const deps = {
    throttle: new SiteThrottle(throttle, new SiteMarks(createMemoryMarks(clock), silentLog())),
    verifier: {
      verify: async ({ origin }: { readonly origin: string }): Promise<Verdict> => {
        asked.push(origin);
        return { outcome: "denied" };
      },
    },
    readNameRules: async () => ({ separators: "@", tenant: "default" }),
    log: silentLog(),
  };
  const leave = new AbortController();
  const ask = (origin: string) => {
    const proof = { kind: "password", password: "guess" } as const;
    return decideVerdict(deps, { id: 1, kind: "user", login: "ann", proof, origin }, leave.signal);
  };
  for (let n = 0; n < 40; n++) {
    const name = { login: "ann", tenant: "default" };
    const attempt = throttle.enter({ kind: "user", name, origin: `192.0.2.${n}` });
    if (attempt === "refuse") throw new Error("refused");
    attempt.begin();
    attempt.end("failed");
  }
  const guessing = Promise.race(Array.from({ length: 10 }, (_, n) => ask(`192.0.2.${n}`)));
  const owner = ask("198.51.100.7");
  expect(await guessing).toMatchObject({ outcome: "busy", retryMs: 60_000 });
  // Nobody has looked at what was sent away.
  expect(asked).toEqual([]);
  leave.abort();
  expect(await owner).not.toMatchObject({ outcome: "busy" });
});

test("a code of one's own, shown beside somebody else's login, washes none of the guesses at them clean", async () => {
  const time = { ms: 1_000 };
  const clock = { nowMs: () => time.ms, monotonicMs: () => time.ms };
  const throttle = new SignInThrottle(clock);
  const name = { login: "ann", tenant: "default" };
  for (let n = 0; n < 8; n++) {
    const attempt = throttle.enter({ kind: "user", name, origin: ORIGIN });
    if (attempt === "refuse") throw new Error("refused");
    attempt.begin();
    attempt.end("failed");
    time.ms += 10_000;
  }
  const marks = new SiteMarks(createMemoryMarks(clock), silentLog());
  const deps = {
    throttle: new SiteThrottle(throttle, marks),
    verifier: { verify: async () => MALLORY },
    readNameRules: async () => ({ separators: "@", tenant: "default" }),
    log: silentLog(),
  };
  const proof = { kind: "second-factor", ticket: "mallory's", code: "123456" } as const;
  const question = { id: 1, kind: "user", login: "ann", proof, origin: ORIGIN } as const;
  expect((await decideVerdict(deps, question, never)).outcome).toBe("accepted");
  expect(throttle.list(10).slowed).toMatchObject([{ lane: "pair", login: "ann", failures: 8 }]);
});
