/** What `qvd auth run` is made of besides its sockets, over a test's database. */

import { createChainParts } from "../../src/cli/auth/chain-parts.ts";
import { createProofParts } from "../../src/cli/auth/proof-parts.ts";
import type { Db } from "../../src/db/client.ts";
import { type Log, silentLog } from "../../src/lib/log.ts";
import { SEED_RANGE } from "./db-seed.ts";

/** `db` has the rights of the auth role; `key` is shared by those that play boxes of one site. */
export function createAuthParts(
  db: Db,
  key: Uint8Array = crypto.getRandomValues(new Uint8Array(32)),
  log: Log = silentLog(),
) {
  const chain = { secretKey: key, systemAuthorities: "", networkRange: SEED_RANGE, log };
  return { ...createChainParts(db, chain), ...createProofParts(db, { secretKey: key }) };
}
