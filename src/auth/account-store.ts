/** What auth reads of the database; `src/auth/local/find-account.ts` does. Each throws when the database is away. */

import type { TenantId, UserId } from "../domain/ids.ts";
import type { StoredSetting } from "../domain/setting/resolve.ts";
import type { Claim, ProvedAccount } from "./authenticator.ts";
import type { LoginName } from "./login.ts";

export type StoredAccount = {
  readonly account: ProvedAccount;
  /** The account or its tenant is. */
  readonly isBlocked: boolean;
  /** Undefined while no password was ever set. */
  readonly passwordHash: string | undefined;
};

export type StoredTenant = { readonly tenantId: TenantId; readonly isBlocked: boolean };

export interface AccountStore {
  findAccount(kind: Claim["kind"], name: LoginName): Promise<StoredAccount | undefined>;
  findTenant(name: string): Promise<StoredTenant | undefined>;
  /** The site's, and the tenant's own. */
  readSettings(tenantId: TenantId | undefined): Promise<readonly StoredSetting[]>;
  /** Puts a hash of today in the place of QVD 4's, unless it was changed meanwhile. */
  upgradeHash(
    account: ProvedAccount,
    hashes: { readonly oldHash: string; readonly newHash: string },
  ): Promise<void>;
  /** Of a user, for the policy. */
  readProperties(userId: UserId): Promise<Readonly<Record<string, string>>>;
}
