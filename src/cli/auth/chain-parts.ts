/** What a chain has besides the accounts of our own database: directories, and accounts made at a first sign-in. */

import { createAutoMaker } from "../../auth/auto/auto-maker.ts";
import { createLdapAuthenticator } from "../../auth/ldap/ldap-authenticator.ts";
import { ServerHealth } from "../../auth/ldap/server-health.ts";
import { testDirectory } from "../../auth/ldap/test-directory.ts";
import { createAccountStore } from "../../auth/local/find-account.ts";
import type { Db } from "../../db/client.ts";
import type { SettingValues } from "../../domain/setting/registry.ts";
import { systemClock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import type { Context } from "../../service/context.ts";
import { provisionUser } from "../../service/user/provision.ts";
import { upgradeHash } from "../../service/user/upgrade-hash.ts";

export type ChainPartsOptions = {
  /** Opens the secrets among the settings. */
  readonly secretKey: Uint8Array;
  /** PEM. */
  readonly systemAuthorities: string;
  /** Where desktops that are made get their addresses from. */
  readonly networkRange: string;
  readonly log: Log;
};

/** `db` has the rights of the auth role. */
export function createChainParts(db: Db, options: ChainPartsOptions) {
  const context: Context = { db, actor: { kind: "system", what: "auth" } };
  const { secretKey, systemAuthorities, networkRange, log } = options;
  const health = new ServerHealth(systemClock);
  return {
    accounts: createAccountStore(db, {
      upgradeHash: (account, hashes) => upgradeHash(context, account, hashes),
    }),
    listAway: () => health.list(),
    testDirectory: (
      values: SettingValues,
      asked: { login: string; isByTenant: boolean; signal: AbortSignal },
    ) => testDirectory({ secretKey, systemAuthorities }, values, asked),
    parts: {
      authenticators: [
        createLdapAuthenticator({ health, systemAuthorities, secretKey, clock: systemClock, log }),
      ],
      afterProofs: [
        createAutoMaker(({ origin, ...wanted }) =>
          provisionUser({ ...context, origin }, { networkRange }, wanted),
        ),
      ],
    },
  };
}
