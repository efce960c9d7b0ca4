/** What `qvd auth run` is made of besides its sockets, over a test's database. */

import { createAccountStore } from "../../src/auth/local/find-account.ts";
import { Tickets } from "../../src/auth/ticket.ts";
import { createTokenStore } from "../../src/cli/auth/token-store.ts";
import { createTotpStore } from "../../src/cli/auth/totp-store.ts";
import type { Db } from "../../src/db/client.ts";

/** `db` has the rights of the auth role; `key` is shared by those that play boxes of one site. */
export function createAuthParts(db: Db, key = crypto.getRandomValues(new Uint8Array(32))) {
  return {
    accounts: createAccountStore(db),
    secondFactors: createTotpStore(db),
    tokens: createTokenStore(db),
    tickets: new Tickets(key),
  };
}
