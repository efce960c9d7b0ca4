/**
 * The auth process over a database of its own with a thousand people: `auth-process.ts SOCKET COUNT`. They are
 * person1 to personCOUNT, all with SEED_PASSWORD at the cost that the product hashes at. Prints "ready".
 */

import { sql } from "drizzle-orm";
import { hashPassword } from "../../src/auth/password.ts";
import { runAuth } from "../../src/auth/run-auth.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createAuthParts } from "../../test/support/auth-parts.ts";
import { createTestDatabase } from "../../test/support/cluster.ts";
import { SEED_PASSWORD, seedSite } from "../../test/support/db-seed.ts";

const [socket = "", count = "0"] = process.argv.slice(2);
const stopped = new AbortController();
process.once("SIGTERM", () => stopped.abort());

const database = await createTestDatabase();
try {
  const owner = database.open("qvd_owner").orm;
  const { tenantId } = await seedSite(owner);
  const hash = await hashPassword(SEED_PASSWORD);
  await owner.execute(sql`
    with people as (
      insert into users (tenant_id, login) select ${tenantId}::int, 'person' || n from generate_series(1, ${Number(count)}::int) n
      returning id)
    insert into user_credentials (user_id, password_hash) select id, ${hash}::text from people`);
  await runAuth({
    socketPaths: [socket],
    ...createAuthParts(database.open("qvd_auth").orm),
    log: silentLog(),
    signal: stopped.signal,
    onReady: () => console.log("ready"),
  });
} finally {
  await database.drop();
}
