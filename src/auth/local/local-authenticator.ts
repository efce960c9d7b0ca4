/**
 * Accounts of our own database. Whoever doesn't exist costs as much as whoever does: a hash of nothing is
 * verified in their place, so that time doesn't tell names.
 */

import { randomBytes } from "node:crypto";
import type { AccountStore } from "../account-store.ts";
import type { Authenticator, Finding } from "../authenticator.ts";
import type { BoundedQueue } from "../bounded-queue.ts";
import { hashPassword, verifyPassword } from "../password.ts";

export type LocalDeps = {
  readonly store: Pick<AccountStore, "findAccount">;
  /** Each hash takes 46 MiB while it runs. */
  readonly queue: BoundedQueue;
};

export async function createLocalAuthenticator(deps: LocalDeps): Promise<Authenticator> {
  const hashOfNothing = await hashPassword(randomBytes(24).toString("base64"));
  return {
    name: "local",
    proofs: ["password"],
    async prove({ kind, name, proof, origin }): Promise<Finding> {
      if (name === undefined || proof.kind !== "password") return { outcome: "denied" };
      const finding = await deps.queue.run(async (): Promise<Finding> => {
        const found = await deps.store.findAccount(kind, name);
        const isRight = await verifyPassword(proof.password, found?.passwordHash ?? hashOfNothing);
        if (found?.passwordHash === undefined || !isRight) return { outcome: "denied" };
        return { outcome: "proved", name };
      }, origin);
      return finding ?? { outcome: "busy" };
    },
  };
}
