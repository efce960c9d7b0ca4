import { chown } from "node:fs/promises";
import { openDatabase } from "../../db/client.ts";
import { backoffMs } from "../../lib/backoff.ts";
import { droppedTo } from "../../lib/dropped-to.ts";
import { describeError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { CLEAN_ENV } from "../../lib/run.ts";
import { sleep } from "../../lib/wait.ts";
import { takeShortTurns } from "../../node/short-turns.ts";
import { readAccount } from "../accounts.ts";
import type { Command } from "../command.ts";
import { openMode } from "../mode.ts";
import {
  type ClusterPlace,
  clusterFolder,
  ensureCluster,
  findPostgres,
  type Prefix,
  postgresCommand,
} from "./cluster.ts";
import { keepLogRoom, keepTableRoom } from "./keep-room.ts";
import { refuseSlots } from "./refuse-slots.ts";

/** A restart after a crash replays the log; a stop that takes longer than this is forced. */
const STOP_MS = 30_000;
const BACKOFF = { firstMs: 250, mostMs: 5_000 };
const STABLE_MS = 30_000;
const ROOM_EVERY_MS = 15_000;

export const dbRun: Command = {
  name: "db run",
  summary: "Run the embedded PostgreSQL.",
  details:
    "Started by `qvd box run`. The cluster lies in the state folder and is reached over a unix socket only. The server runs as the account qvd-db and is started again when it ends.",
  examples: ["qvd db run"],
  async run(io) {
    takeShortTurns();
    const { layout, log } = openMode(io);
    const place: ClusterPlace = {
      folder: layout.databaseFolder,
      socketFolder: layout.databaseSocketFolder,
      binFolder: await findPostgres(),
    };
    const isRoot = process.getuid?.() === 0;
    const prefix = isRoot ? droppedTo(readAccount("qvd-db")) : [];
    await refuseSlots(clusterFolder(place));
    await ensureCluster(place, prefix);
    if (isRoot) await giveRules(place);
    const own = log.with({ process: "db" });
    const ended = keepRunning(postgresCommand(place, prefix), own, io.signal);
    await Promise.all([ended, keepRoom(place, { prefix, log: own, signal: io.signal })]);
    return 0;
  },
};

async function giveRules(place: ClusterPlace): Promise<void> {
  const { uid, gid } = readAccount("qvd-db");
  for (const name of ["pg_hba.conf", "pg_ident.conf"])
    await chown(`${clusterFolder(place)}/${name}`, uid, gid);
}

/** What it uses of its room is given again; a disk without any is a fault for people. */
async function keepRoom(
  place: ClusterPlace,
  { prefix, log, signal }: { readonly prefix: Prefix; readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  const folder = place.socketFolder;
  const database = openDatabase(
    { kind: "socket", folder, role: "qvd_owner", database: "postgres" },
    { max: 1, applicationName: "qvd db" },
  );
  const cluster = clusterFolder(place);
  let told: string | undefined;
  try {
    while (!signal.aborted) {
      await sleep(ROOM_EVERY_MS, signal);
      if (signal.aborted) return;
      try {
        await keepLogRoom(cluster, database);
        await keepTableRoom(cluster, prefix);
        if (told !== undefined) log.info("database-room-given");
        told = undefined;
      } catch (error) {
        const text = describeError(error);
        if (text !== told) log.error("database-room-missing", { text });
        told = text;
      }
    }
  } finally {
    await database.close();
  }
}

async function keepRunning(command: readonly string[], log: Log, signal: AbortSignal): Promise<void> {
  let tries = 0;
  while (!signal.aborted) {
    const startedAt = performance.now();
    log.info("database-started");
    const exitCode = await runOnce(command, signal);
    if (signal.aborted) break;
    const livedMs = performance.now() - startedAt;
    tries = livedMs > STABLE_MS ? 1 : tries + 1;
    log.error("database-ended", { exitCode, livedMs: Math.round(livedMs) });
    // Also how a start is repeated while the lock file of a killed server still names a living process.
    await sleep(backoffMs(tries, BACKOFF), signal);
  }
  log.info("database-stopped");
}

/** Resolves with the server's exit code. The signal asks it to end without waiting for its clients. */
async function runOnce(command: readonly string[], signal: AbortSignal): Promise<number> {
  const server = Bun.spawn([...command], {
    cwd: "/",
    env: { ...CLEAN_ENV, LC_ALL: "C.UTF-8" },
    stdio: ["ignore", "inherit", "inherit"],
    // A terminal's Ctrl-C is for us; we end the server in our order.
    detached: true,
  });
  const stop = () => {
    server.kill("SIGINT");
    setTimeout(() => server.kill("SIGQUIT"), STOP_MS).unref();
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await server.exited;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
