/**
 * Accounts of our own database. Whoever doesn't exist costs as much as whoever does: a hash of nothing is
 * verified in their place, so that time doesn't tell names.
 */

import { randomBytes } from "node:crypto";
import { AppError } from "../../lib/errors.ts";
import type { Authenticator, Proof, ProvedAccount, Verdict } from "../authenticator.ts";
import type { LoginName } from "../login.ts";
import { hashPassword, verifyPassword } from "../password.ts";

export type StoredAccount = {
  readonly account: ProvedAccount;
  /** The account or its tenant is. */
  readonly isBlocked: boolean;
  /** Undefined while no password was ever set. */
  readonly passwordHash: string | undefined;
};

export interface AccountStore {
  /** Throws when the database is away. */
  findAccount(kind: Proof["kind"], name: LoginName): Promise<StoredAccount | undefined>;
}

export async function createLocalAuthenticator(accounts: AccountStore): Promise<Authenticator> {
  const hashOfNothing = await hashPassword(randomBytes(24).toString("base64"));
  return {
    async verify(proof): Promise<Verdict> {
      const found = await readAccount(accounts, proof);
      const isRight = await verifyPassword(proof.password, found?.passwordHash ?? hashOfNothing);
      if (found === undefined || found.passwordHash === undefined || found.isBlocked || !isRight)
        return { outcome: "denied" };
      return { outcome: "accepted", account: found.account };
    },
  };
}

async function readAccount(accounts: AccountStore, proof: Proof): Promise<StoredAccount | undefined> {
  try {
    return await accounts.findAccount(proof.kind, proof.name);
  } catch (cause) {
    throw new AppError("database-away", "Accounts can't be read: the database does not answer.", { cause });
  }
}
