/** The embedded database on a disk that somebody else fills to the last block: what it was given ahead, it has. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmod, chown, mkdir, mkdtemp, rm, statfs } from "node:fs/promises";
import { readAccount } from "../../src/cli/accounts.ts";
import {
  type ClusterPlace,
  clusterFolder,
  ensureCluster,
  findPostgres,
  postgresCommand,
} from "../../src/cli/db/cluster.ts";
import { keepLogRoom, keepTableRoom } from "../../src/cli/db/keep-room.ts";
import { type Database, openDatabase } from "../../src/db/client.ts";
import { droppedTo } from "../../src/lib/dropped-to.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";

let scratch: string;
let disk: string;
let place: ClusterPlace;
let prefix: readonly string[];
let server: Bun.Subprocess;
let database: Database;

const connect = (name: string) =>
  openDatabase({ kind: "socket", folder: place.socketFolder, role: "qvd_owner", database: name }, { max: 1 });
const answers = (name: string) => async () => {
  const one = connect(name);
  return await one.sql`select 1`
    .then(
      () => true,
      () => false,
    )
    .finally(() => one.close());
};

beforeAll(async () => {
  scratch = await mkdtemp("/var/tmp/qvd-room-");
  await chmod(scratch, 0o755);
  disk = `${scratch}/disk`;
  await mkdir(disk);
  await runOk("making a small disk", ["/usr/bin/truncate", "-s", "600M", `${disk}.img`]);
  await runOk("making its file system", ["/usr/sbin/mkfs.ext4", "-q", "-m", "0", `${disk}.img`]);
  await runOk("mounting it", ["/usr/bin/mount", "-o", "loop", `${disk}.img`, disk]);
  place = { folder: `${disk}/database`, socketFolder: `${scratch}/socket`, binFolder: await findPostgres() };
  const account = readAccount("qvd-db");
  for (const folder of [place.folder, place.socketFolder]) {
    await mkdir(folder, { mode: 0o700 });
    await chown(folder, account.uid, account.gid);
  }
  prefix = droppedTo(account);
  await ensureCluster(place, prefix);
  for (const name of ["pg_hba.conf", "pg_ident.conf"])
    await chown(`${clusterFolder(place)}/${name}`, account.uid, account.gid);
  server = Bun.spawn([...postgresCommand(place, prefix)], {
    cwd: "/",
    stdio: ["ignore", "ignore", "ignore"],
  });
  expect(await waitFor(answers("postgres"), { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
  const first = connect("postgres");
  await first.sql`create database site`;
  await keepLogRoom(clusterFolder(place), first);
  await first.close();
  database = connect("site");
  await database.sql`create table events (id int generated always as identity primary key, text text)`;
  await database.sql`insert into events (text) select 'before' from generate_series(1, 1000)`;
}, 300_000);
afterAll(async () => {
  await database.close();
  server.kill("SIGQUIT");
  await server.exited;
  await runOk("unmounting the small disk", ["/usr/bin/umount", disk]);
  await rm(scratch, { recursive: true });
}, 120_000);

/** As a desktop without limits does: somebody without any right writes until nothing fits. */
async function fill(): Promise<void> {
  const file = `${disk}/of-a-desktop`;
  await runOk("making a file", ["/usr/bin/install", "-o", "65534", "-m", "600", "/dev/null", file]);
  const words = ["if=/dev/zero", `of=${file}`, "bs=4k", "oflag=append", "conv=notrunc"];
  const filled = await run(["/usr/bin/dd", ...words], {
    uid: 65_534,
    gid: 65_534,
    cwd: "/",
    timeoutMs: 60_000,
  });
  expect(filled.stderr).toContain("No space left");
  expect((await statfs(disk)).bavail).toBeLessThan(16);
}

const add = (count: number) =>
  database.sql`insert into events (text) select repeat('x', 200) from generate_series(1, ${count})`;

test("goes on with rows and log on what it was given, while nobody else can write a block", async () => {
  expect(await keepTableRoom(clusterFolder(place), prefix)).toBeGreaterThan(10);
  expect(await keepTableRoom(clusterFolder(place), prefix)).toBe(0);
  await fill();
  for (let round = 0; round < 20; round++) await add(10);
  const [found] = await database.sql`select count(*)::int as count from events`;
  expect(found?.count).toBe(1_200);
  // Many times what a crowd of people causes in an hour: the log is used again and again.
  for (let round = 0; round < 12; round++) {
    await database.sql`select pg_logical_emit_message(false, 'test', 'x')`;
    await database.sql`select pg_switch_wal()`;
    await database.sql`checkpoint`;
    await database.sql`notify something`;
  }
  expect(server.exitCode).toBeNull();
  expect(await answers("site")()).toBe(true);
}, 120_000);

test("tells when there is no more to give, and takes it when there is", async () => {
  const script = "insert into events (text) values (repeat('x', 200)); end loop; end";
  const failed = database.sql.unsafe(`do $$ begin for i in 1..100000 loop ${script} $$`).then(
    () => "written",
    (error: Error) => error.message,
  );
  expect(await failed).toContain("No space left on device");
  // A table that can't grow is no reason to end.
  expect(server.exitCode).toBeNull();
  expect(await answers("site")()).toBe(true);
  await expect(keepTableRoom(clusterFolder(place), prefix)).rejects.toMatchObject({ code: "storage-full" });
  await rm(`${disk}/of-a-desktop`);
  expect(await keepTableRoom(clusterFolder(place), prefix)).toBeGreaterThan(0);
  await add(1_000);
}, 120_000);
