/** Starts the shared cluster at the folder given and makes the template; called under a lock by cluster.ts. */

import { migrate } from "../../src/db/migrate.ts";
import { asOwner, templateName } from "./cluster.ts";
import { serverAt, startServer } from "./db-server.ts";

const server = serverAt(process.argv[2] ?? "");
await startServer(server);
const template = templateName();
await asOwner(server, async (sql) => {
  const found = await sql`select 1 from pg_database where datname = ${template}`;
  if (found.length > 0) return;
  // Renamed when complete: a template that a killed run left half made would fail every test after it.
  const draft = `${template}_draft`;
  await sql.unsafe(`drop database if exists ${draft} with (force)`);
  await sql.unsafe(`create database ${draft}`);
  await migrate({ kind: "socket", folder: server.socketFolder, role: "qvd_owner", database: draft });
  await sql.unsafe(`alter database ${draft} rename to ${template}`);
});
