/** What `qvd auth run` is made of besides its sockets and directories, over a test's database. */

import { createAccountStore } from "../../src/auth/local/find-account.ts";
import { createProofParts } from "../../src/cli/auth/proof-parts.ts";
import type { Db } from "../../src/db/client.ts";
import type { Context } from "../../src/service/context.ts";
import { upgradeHash } from "../../src/service/user/upgrade-hash.ts";

/** `db` has the rights of the auth role; `key` is shared by those that play boxes of one site. */
export function createAuthParts(db: Db, key: Uint8Array = crypto.getRandomValues(new Uint8Array(32))) {
  const context: Context = { db, actor: { kind: "system", what: "auth" } };
  return {
    accounts: createAccountStore(db, {
      upgradeHash: (account, hashes) => upgradeHash(context, account, hashes),
    }),
    ...createProofParts(db, { secretKey: key }),
  };
}
