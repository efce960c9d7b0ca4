/**
 * Accounts of our own database. Whoever doesn't exist costs as much as whoever does: a hash of nothing is
 * verified in their place, so that time doesn't tell names. Nor does it tell whose hash is still QVD 4's.
 */

import { randomBytes } from "node:crypto";
import type { Log } from "../../lib/log.ts";
import type { AccountStore, StoredAccount } from "../account-store.ts";
import type { Attempt, Authenticator, Finding } from "../authenticator.ts";
import { type FairQueue, MAY_WAIT_MS } from "../fair-queue.ts";
import { hashPassword, rehashPassword, verifyPassword } from "../password.ts";
import { isQvd4Hash, verifyQvd4Password } from "./qvd4-hash.ts";

export type LocalDeps = {
  readonly store: Pick<AccountStore, "findAccount" | "upgradeHash">;
  /** Each hash takes 46 MiB while it runs. Administrators have their own: a crowd of users keeps none of them out. */
  readonly queues: Readonly<Record<Attempt["kind"], FairQueue>>;
  readonly log: Log;
  /** The two that cost; a test counts them. */
  readonly hashing?: { readonly verify: typeof verifyPassword; readonly rehash: typeof rehashPassword };
};

export async function createLocalAuthenticator(deps: LocalDeps): Promise<Authenticator> {
  const hashOfNothing = await hashPassword(randomBytes(24).toString("base64"));
  return {
    name: "local",
    proofs: ["password"],
    async prove(attempt, signal): Promise<Finding> {
      const {
        kind,
        name,
        proof,
        origin,
        asker = origin,
        settings,
        mayWaitMs = MAY_WAIT_MS,
        onPlace,
      } = attempt;
      if (name === undefined || proof.kind !== "password") return { outcome: "denied" };
      const { password } = proof;
      const prove = async (): Promise<Finding> => {
        const found = await deps.store.findAccount(kind, name);
        const isRight = await isPasswordOf(deps, found, { password, settings, hashOfNothing });
        return found !== undefined && isRight ? { outcome: "proved", name } : { outcome: "denied" };
      };
      const served = await deps.queues[kind].run(prove, { asker, mayWaitMs, onPlace, signal });
      if (served.outcome === "served") return served.value;
      if (served.outcome === "full") return { outcome: "busy", retryMs: served.retryMs };
      return { outcome: "unavailable", text: "Whoever asked has left." };
    },
    tellPlaces: () => deps.queues.user.tellPlaces(),
  };
}

type Shown = Pick<Attempt, "settings"> & { readonly password: string; readonly hashOfNothing: string };

/** Costs one hash in every case. */
async function isPasswordOf(
  deps: LocalDeps,
  found: StoredAccount | undefined,
  shown: Shown,
): Promise<boolean> {
  const { password, hashOfNothing } = shown;
  const { verify, rehash } = deps.hashing ?? { verify: verifyPassword, rehash: rehashPassword };
  const hash = found?.passwordHash;
  if (found === undefined || hash === undefined || !isQvd4Hash(hash)) {
    const isRight = await verify(password, hash ?? hashOfNothing);
    return hash !== undefined && isRight;
  }
  if (!verifyQvd4Password(password, hash, shown.settings["l7r.auth.plugin.default.salt"])) {
    await verify(password, hashOfNothing);
    return false;
  }
  const newHash = await rehash(password);
  try {
    await deps.store.upgradeHash(found.account, { oldHash: hash, newHash });
  } catch (error) {
    // The old one proves them all the same, and the next sign-in tries again.
    deps.log.warn("hash-not-upgraded", { login: found.account.login, error });
  }
  return true;
}
