/**
 * The database of integration tests. One cluster is shared by all test processes of a run: the first that needs
 * it starts it (under a file lock) and migrates a template; each test file copies the template into a database
 * of its own and drops it at the end. `bun test/support/stop-cluster.ts` ends the cluster.
 */

import { createHash, randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { MIGRATIONS } from "../../migrations/index.ts";
import { type Database, type OpenOptions, openClient, openDatabase } from "../../src/db/client.ts";
import type { DatabaseAddress, DatabaseRole } from "../../src/db/url.ts";
import { runOk } from "../../src/lib/run.ts";
import { type Server, serverAt } from "./db-server.ts";

export type TestDatabase = {
  readonly name: string;
  readonly server: Server;
  address(role: DatabaseRole): DatabaseAddress;
  /** Opened as that role; `drop` closes it. */
  open(role: DatabaseRole, options?: OpenOptions): Database;
  drop(): Promise<void>;
};

/** A freshly migrated database with nobody else in it. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = await ensureCluster();
  const name = `t_${randomBytes(6).toString("hex")}`;
  await asOwner(server, (sql) => sql.unsafe(`create database ${name} template ${templateName()}`));
  return testDatabase(server, name);
}

/** An empty database, for tests of the migrations themselves. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const server = await ensureCluster();
  const name = `t_${randomBytes(6).toString("hex")}`;
  await asOwner(server, (sql) => sql.unsafe(`create database ${name}`));
  return testDatabase(server, name);
}

/** The shared cluster of this checkout, or the one that QVD_TEST_CLUSTER names. */
export function sharedServer(): Server {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const mark = createHash("sha256").update(root).digest("hex").slice(0, 8);
  return serverAt(process.env.QVD_TEST_CLUSTER ?? `${tmpdir()}/qvd-test-${mark}`);
}

/** Named after what it contains, so that an edited migration makes a new one. */
export function templateName(): string {
  const hash = createHash("sha256");
  for (const migration of MIGRATIONS) hash.update(migration.text);
  return `template_${hash.digest("hex").slice(0, 12)}`;
}

export async function asOwner<T>(
  server: Server,
  work: (sql: ReturnType<typeof openClient>) => Promise<T>,
): Promise<T> {
  const sql = openClient({
    kind: "socket",
    folder: server.socketFolder,
    role: "qvd_owner",
    database: "postgres",
  });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** A process of its own, so that `flock` can keep the others out until the template is complete. */
async function ensureCluster(): Promise<Server> {
  const server = sharedServer();
  const script = fileURLToPath(new URL("start-cluster.ts", import.meta.url));
  await runOk(
    "start the tests' database",
    ["flock", "--wait", "90", `${server.folder}.lock`, process.execPath, script, server.folder],
    { timeoutMs: 120_000 },
  );
  return server;
}

function testDatabase(server: Server, name: string): TestDatabase {
  const opened: Database[] = [];
  const address = (role: DatabaseRole): DatabaseAddress => ({
    kind: "socket",
    folder: server.socketFolder,
    role,
    database: name,
  });
  return {
    name,
    server,
    address,
    open(role, options) {
      const database = openDatabase(address(role), { max: 4, applicationName: `test ${role}`, ...options });
      opened.push(database);
      return database;
    },
    async drop() {
      await Promise.all(opened.map((database) => database.close()));
      await asOwner(server, (sql) => sql.unsafe(`drop database if exists ${name} with (force)`));
    },
  };
}
