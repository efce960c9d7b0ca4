/**
 * Room on the disk that nobody but the database can use. It shares the disk of the state folder with desktops, and
 * one without limits can fill that to the last block: PostgreSQL then ends as soon as it can't go on with its log,
 * and refuses every new row. So blocks are given to its files ahead: behind the end of each, where it writes
 * next by itself, and as segments of the log, which it uses again and again. Called by `qvd db run`.
 */

import { readdir, stat, statfs } from "node:fs/promises";
import type { Database } from "../../db/client.ts";
import { AppError } from "../../lib/errors.ts";
import { run } from "../../lib/run.ts";
import { LOG_SEGMENT_MB, LOG_SEGMENTS, type Prefix } from "./cluster.ts";

const BLOCK_BYTES = 4_096;
/** PostgreSQL adds 8 KB at once, some dozens of rows. */
const LEAST_ROOM_BYTES = 64 * 1_024;
const MOST_ROOM_BYTES = 4_096 * 1_024;
/** Of the whole cluster: transactions, notices, tables of roles. Those of our databases come besides. */
const OF_ALL = [
  ...["pg_xact", "pg_subtrans", "pg_notify", "pg_multixact/offsets", "pg_multixact/members", "global"],
];
/** Databases below this id are of the cluster's own making, and never grow. */
const FIRST_OWN_ID = 16_384;
const TIMEOUT_MS = 60_000;

/** Triples: where the room begins, how much it is, in which file. What is gone by now is passed over. */
const GIVE = `
while [ $# -gt 0 ]; do
  [ ! -f "$3" ] || /usr/bin/fallocate --keep-size --offset "$1" --length "$2" "$3" || exit 1
  shift 3
done`;

/**
 * Gives room to every file that has little left, and returns how many those were. `prefix` makes a program run as the
 * files' owner. `storage-full` when the disk has none to give, `driver-failed` where its file system can't.
 */
export async function keepTableRoom(cluster: string, prefix: Prefix): Promise<number> {
  const wanted: string[] = [];
  for (const folder of await listGrowing(cluster))
    for (const name of await readdir(folder).catch((): string[] => []))
      wanted.push(...(await judge(`${folder}/${name}`)));
  if (wanted.length === 0) return 0;
  const command = [...prefix, "/bin/sh", "-c", GIVE, "sh", ...wanted];
  const { exitCode, stderr } = await run(command, { timeoutMs: TIMEOUT_MS, cwd: "/" });
  if (exitCode === 0) return wanted.length / 3;
  const isFull = /No space left|quota/i.test(stderr);
  throw new AppError(
    isFull ? "storage-full" : "driver-failed",
    isFull
      ? "keeping room for the database: its disk is full. What it has left is what it was given before: make room there."
      : `keeping room for the database: ${stderr.trim().slice(-300)}. A full disk would stop it: give desktops limits, or the database a disk of its own.`,
  );
}

async function listGrowing(cluster: string): Promise<readonly string[]> {
  const databases = await readdir(`${cluster}/base`);
  const own = databases.filter((name) => /^\d+$/.test(name) && Number(name) >= FIRST_OWN_ID);
  return [...OF_ALL.map((name) => `${cluster}/${name}`), ...own.map((name) => `${cluster}/base/${name}`)];
}

/** Refilled when half of it is used, so that a growing table costs a call now and then. */
async function judge(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true || !/\/[0-9A-F]+(?:_fsm|_vm)?(?:\.\d+)?$/.test(path)) return [];
  const end = Math.ceil(found.size / BLOCK_BYTES) * BLOCK_BYTES;
  const wantedBytes = Math.min(Math.max(end, LEAST_ROOM_BYTES), MOST_ROOM_BYTES);
  if (found.blocks * 512 - end >= wantedBytes / 2) return [];
  return [`${end}`, `${wantedBytes}`, path];
}

/** Has PostgreSQL make what it keeps of its log, all at once: a young cluster would only by and by. `storage-full`. */
export async function keepLogRoom(cluster: string, database: Pick<Database, "sql">): Promise<void> {
  const segments = (await readdir(`${cluster}/pg_wal`)).filter((name) => /^[0-9A-F]{24}$/.test(name));
  const missing = LOG_SEGMENTS - segments.length;
  if (missing <= 0) return;
  const { bavail, bsize } = await statfs(cluster);
  if (bavail * bsize < 2 * missing * LOG_SEGMENT_MB * 2 ** 20)
    throw new AppError("storage-full", "keeping room for the database's log: its disk is nearly full.");
  for (let made = 0; made < missing; made++) {
    // A segment in which nothing is written is not closed.
    await database.sql`select pg_logical_emit_message(false, 'qvd', 'room')`;
    await database.sql`select pg_switch_wal()`;
  }
  await database.sql`checkpoint`;
}
