/** `qvd auth run` as it runs on a box, in the test's process: a socket of its own over the test's database. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { type AuthClient, createAuthClient } from "../../src/auth/client.ts";
import { runAuth } from "../../src/auth/run-auth.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createAuthParts } from "./auth-parts.ts";
import type { TestDatabase } from "./cluster.ts";

export type AuthProcess = {
  readonly auth: AuthClient;
  /** May ask what administrators may see. */
  readonly admin: AuthClient;
  /** Of its socket, for clients besides. */
  readonly path: string;
  stop(): Promise<void>;
};

export async function startAuthProcess(database: TestDatabase): Promise<AuthProcess> {
  const folder = mkdtempSync(`${tmpdir()}/qvd-auth-`);
  const path = `${folder}/socket`;
  const ending = new AbortController();
  const ready = Promise.withResolvers<void>();
  const ended = runAuth({
    socketPaths: [path, `${path}-admin`],
    adminSocketPath: `${path}-admin`,
    ...createAuthParts(database.open("qvd_auth").orm),
    log: silentLog(),
    signal: ending.signal,
    onReady: ready.resolve,
  });
  await ready.promise;
  const auth = createAuthClient({ path, log: silentLog() });
  const admin = createAuthClient({ path: `${path}-admin`, log: silentLog() });
  return {
    auth,
    admin,
    path,
    async stop() {
      auth.close();
      admin.close();
      ending.abort();
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}
