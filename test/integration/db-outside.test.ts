/** A database of the site's own: over TCP, with passwords, its owner no superuser. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { MIGRATIONS } from "../../migrations/index.ts";
import { administratorCreate } from "../../src/cli/administrator/create.ts";
import { openDatabase } from "../../src/db/client.ts";
import { listenForNotices } from "../../src/db/listen.ts";
import { migrate, requireSchema } from "../../src/db/migrate.ts";
import { notify } from "../../src/db/notify.ts";
import { listAdministrators } from "../../src/db/queries/administrators.ts";
import { listOsfs } from "../../src/db/queries/osfs.ts";
import { ensureRolePasswords } from "../../src/db/role-passwords.ts";
import { type DatabasePlace, PROCESS_ROLES, roleDatabase, rolePasswordFile } from "../../src/db/url.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { asOwner } from "../support/cluster.ts";
import { type Server, serverAt, startServer, stopServer } from "../support/db-server.ts";

// Our sockets have a fixed port in their name, so the address is what differs from any other server here.
const [low, high] = randomBytes(2);
const HOST = `127.77.${low}.${Math.max(1, Math.min(254, high ?? 1))}`;

let server: Server;
let stateFolder: string;
let secretsFolder: string;
let place: DatabasePlace;
beforeAll(async () => {
  server = serverAt(await mkdtemp(`${tmpdir()}/qvd-test-outside-`));
  stateFolder = await mkdtemp(`${tmpdir()}/qvd-test-state-`);
  secretsFolder = `${stateFolder}/secrets`;
  await mkdir(secretsFolder);
  place = { databaseUrl: `postgres://site:site-password@${HOST}:5432/ours`, socketFolder: "", secretsFolder };
  await startServer(server);
  await stopServer(server);
  await appendFile(`${server.folder}/data/postgresql.conf`, `\nlisten_addresses = '${HOST}'\n`);
  await writeFile(
    `${server.folder}/data/pg_hba.conf`,
    "local all all trust\nhost all all all scram-sha-256\n",
  );
  await startServer(server);
  await asOwner(server, async (sql) => {
    await sql`create role site login createrole password 'site-password'`;
    await sql`create database ours owner site`;
  });
}, 60_000);
afterAll(async () => {
  await stopServer(server, "immediate");
  await rm(server.folder, { recursive: true, force: true });
  await rm(stateFolder, { recursive: true, force: true });
});

test("is migrated by its owner, who gives each role a password that works", async () => {
  const passwords = await ensureRolePasswords(secretsFolder, {});
  await migrate(await roleDatabase(place, "qvd_owner"), { passwords });
  for (const role of PROCESS_ROLES) {
    const database = openDatabase(await roleDatabase(place, role));
    await requireSchema(database.sql);
    const [row] = await database.sql`select current_user who, inet_server_addr()::text at`;
    expect(row).toMatchObject({ who: role, at: `${HOST}/32` });
    await database.close();
  }
});

test("is refused with advice where a dump was restored without the roles that it speaks of", async () => {
  const owner = await roleDatabase(place, "qvd_owner");
  await asOwner(server, (sql) => sql`alter role qvd_auth rename to lost_role`);
  try {
    await expect(migrate(owner)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("lacks the role qvd_auth"),
    });
  } finally {
    await asOwner(server, (sql) => sql`alter role lost_role rename to qvd_auth`);
  }
});

test("asks for a box that is prepared before it writes passwords", async () => {
  const attempt = ensureRolePasswords(`${secretsFolder}/nowhere`, {});
  await expect(attempt).rejects.toMatchObject({ message: expect.stringContaining("qvd box prepare") });
});

test("is migrated again by a later start", async () => {
  const passwords = await ensureRolePasswords(secretsFolder, {});
  const from = MIGRATIONS.at(-1)?.number;
  expect(await migrate(await roleDatabase(place, "qvd_owner"), { passwords })).toMatchObject({ from });
  const database = openDatabase(await roleDatabase(place, "qvd_admin"));
  expect(await listOsfs(database.orm)).toEqual([]);
  await database.close();
});

test("is given a first administrator once, who doesn't come back after another took their place", async () => {
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  const env = { QVD_CONFIG: "/dev/null", QVD_STATE: stateFolder, QVD_DATABASE_URL: place.databaseUrl };
  const io = { out: say, err: say, env, isTerminal: false, signal: new AbortController().signal };
  const create = (login: string, first: boolean) =>
    administratorCreate.run(io, { positionals: [login], options: { generate: true, first } });
  expect(await create("admin", true)).toBe(0);
  expect(said.join("")).toContain("created administrator admin");
  expect(await create("olga", false)).toBe(0);
  const database = openDatabase(await roleDatabase(place, "qvd_owner"));
  await database.sql`delete from administrators where login = 'admin'`;
  await expect(create("admin", true)).rejects.toMatchObject({ code: "conflict" });
  // By these words script/install knows that all is well.
  const words = /grep -q "(.+?)"/.exec(await Bun.file(`${import.meta.dir}/../../script/install`).text())?.[1];
  await expect(create("admin", true)).rejects.toThrow(words ?? "no words");
  expect((await listAdministrators(database.orm)).map(({ login }) => login)).toEqual(["olga"]);
  await database.close();
}, 30_000);

test("carries notices", async () => {
  const heard: string[] = [];
  let isListening = false;
  const address = await roleDatabase(place, "qvd_node");
  const listening = listenForNotices(address, {
    onNotice: (payload) => heard.push(payload),
    onCatchUp: () => {
      isListening = true;
    },
  });
  const database = openDatabase(address);
  expect(await waitFor(() => isListening, { timeoutMs: 15_000 })).toBe(true);
  await notify(database.orm, "hello");
  expect(await waitFor(() => heard[0] === "hello", { timeoutMs: 15_000 })).toBe(true);
  await listening.close();
  await database.close();
});

test("refuses a role whose password was changed behind our back", async () => {
  const file = rolePasswordFile(secretsFolder, "qvd_auth");
  await rm(file);
  await writeFile(file, "something-else-entirely");
  const database = openDatabase(await roleDatabase(place, "qvd_auth"));
  const attempt = database.sql`select 1`.execute();
  await expect(attempt).rejects.toThrow("password authentication failed");
  await database.close();
});
