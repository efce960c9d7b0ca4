import { expect, test } from "bun:test";
import { asId, type TenantId, type UserId } from "../../domain/ids.ts";
import { settingValues } from "../../domain/setting/resolve.ts";
import { systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { FairQueue } from "../fair-queue.ts";
import { hashPassword, rehashPassword, verifyPassword } from "../password.ts";
import { createLocalAuthenticator } from "./local-authenticator.ts";

/** `secret`, by the salt that QVD 4 shipped. */
const OLD = "gF7cemH4TAk9hgXhfRbmGsabY4w5p4fdOGj2A4/hK/w";
const NEW = await hashPassword("correct horse");

const createQueue = () => new FairQueue({ atOnce: 1, mostWaiting: 1, firstTaskMs: 1 }, systemClock);

async function open(options: { readonly upgradeFails?: boolean } = {}) {
  const hashes = new Map<string, string | undefined>([
    ["new", NEW],
    ["old", OLD],
    ["without", undefined],
    ["broken", "not a hash"],
  ]);
  let cost = 0;
  const queues = { user: createQueue(), administrator: createQueue() };
  const upgraded: string[] = [];
  const authenticator = await createLocalAuthenticator({
    store: {
      findAccount: async (_kind, { login }) => {
        if (!hashes.has(login)) return undefined;
        const id = { userId: asId<UserId>(1) };
        const account = { id, login, tenantId: asId<TenantId>(1), tenantName: "default" };
        return { account, isBlocked: false, passwordHash: hashes.get(login) };
      },
      upgradeHash: async (_account, { newHash }) => {
        if (options.upgradeFails) throw new Error("no database");
        upgraded.push(newHash);
      },
    },
    queues,
    log: silentLog(),
    hashing: {
      verify: (password, hash) => {
        // One that can't be read costs nothing, and so would tell.
        if (hash.startsWith("$argon2id$")) cost++;
        return verifyPassword(password, hash);
      },
      rehash: (password) => {
        cost++;
        return rehashPassword(password);
      },
    },
  });
  const prove = async (login: string, password: string, kind: "user" | "administrator" = "user") => {
    cost = 0;
    const proof = { kind: "password", password } as const;
    const attempt = { kind, name: { login, tenant: "default" }, proof, origin: "x" } as const;
    const finding = await authenticator.prove(
      { ...attempt, settings: settingValues([]) },
      new AbortController().signal,
    );
    return `${finding.outcome} for ${cost}`;
  };
  return { prove, upgraded, queues };
}

const cases: [login: string, password: string, expected: string][] = [
  ["new", "correct horse", "proved for 1"],
  ["new", "wrong", "denied for 1"],
  ["nobody", "wrong", "denied for 1"],
  ["nobody", "secret", "denied for 1"],
  ["without", "wrong", "denied for 1"],
  ["old", "secret", "proved for 1"],
  ["old", "wrong", "denied for 1"],
];
for (const [login, password, expected] of cases)
  test(`${login} with ${password} is ${expected} hash, so that time tells nothing`, async () => {
    expect(await (await open()).prove(login, password)).toBe(expected);
  });

test("a hash of QVD 4 is replaced by one of the same password, however short that is", async () => {
  const { prove, upgraded } = await open();
  await prove("old", "wrong");
  expect(upgraded).toEqual([]);
  await prove("old", "secret");
  expect(upgraded.length).toBe(1);
  expect(await verifyPassword("secret", upgraded[0] ?? "")).toBe(true);
});

test("whoever's hash can't be replaced is let in all the same", async () => {
  const { prove } = await open({ upgradeFails: true });
  expect(await prove("old", "secret")).toBe("proved for 1");
});

test("a hash that nobody can read proves nobody", async () => {
  expect(await (await open()).prove("broken", "not a hash")).toStartWith("denied");
});

test("an administrator gets in while users crowd", async () => {
  const { prove, queues } = await open();
  const over = Promise.withResolvers<void>();
  const crowd = ["a", "b"].map((asker) => queues.user.run(() => over.promise, { asker, mayWaitMs: 60_000 }));
  expect(await prove("new", "correct horse")).toBe("busy for 0");
  expect(await prove("new", "correct horse", "administrator")).toBe("proved for 1");
  over.resolve();
  await Promise.all(crowd);
});
