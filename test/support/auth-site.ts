/** A seeded site with the real auth process behind its sockets, for tests of how people prove who they are. */

import type { AuthClient } from "../../src/auth/client.ts";
import { hashPassword } from "../../src/auth/password.ts";
import { settings } from "../../src/db/schema/index.ts";
import { startAuthProcess } from "./auth-process.ts";
import { createTestDatabase, type TestDatabase } from "./cluster.ts";
import { type Seed, seedSite } from "./db-seed.ts";

export type AuthSite = {
  readonly database: TestDatabase;
  readonly seed: Seed;
  readonly auth: AuthClient;
  stop(): Promise<void>;
};

/** Passwords of the seed are good. */
export async function openAuthSite(): Promise<AuthSite> {
  const database = await createTestDatabase();
  const seed = await seedSite(database.open("qvd_owner").orm, { hashPassword });
  const running = await startAuthProcess(database);
  return {
    ...{ database, seed, auth: running.auth },
    stop: async () => {
      await running.stop();
      await database.drop();
    },
  };
}

/** A setting of the whole site, as the service would write it. */
export async function setSiteSetting(database: TestDatabase, name: string, value: unknown): Promise<void> {
  await database
    .open("qvd_owner")
    .orm.insert(settings)
    .values({ name, value })
    .onConflictDoUpdate({ target: [settings.tenantId, settings.name], set: { value } });
}
