/**
 * The embedded PostgreSQL's cluster: made once, whole or not at all, and its access rules, written anew at
 * each start. Who may connect as which role is decided by the operating system's account; no password exists.
 */

import { existsSync } from "node:fs";
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { PROCESS_ROLES } from "../../db/url.ts";
import { AppError } from "../../lib/errors.ts";
import { runOk } from "../../lib/run.ts";

export type ClusterPlace = {
  /** Ours alone: the cluster lies in it, and so does one that is being made. */
  readonly folder: string;
  readonly socketFolder: string;
  readonly binFolder: string;
};

/** Words before a program's own, which make it run as the database's account. */
export type Prefix = readonly string[];

/** A checkpoint begins when half of them are written, so that the others last until it ends. */
export const LOG_SEGMENTS = 8;
export const LOG_SEGMENT_MB = 16;

const BIN_PARENT = "/usr/lib/postgresql";
const LOG_ROOM = `${LOG_SEGMENTS * LOG_SEGMENT_MB}MB`;

export function clusterFolder(place: ClusterPlace): string {
  return `${place.folder}/cluster`;
}

/** The newest PostgreSQL of this machine; throws `not-found` with what to install. */
export async function findPostgres(parent: string = BIN_PARENT): Promise<string> {
  const versions = existsSync(parent) ? await readdir(parent) : [];
  const newest = versions
    .filter((version) => existsSync(`${parent}/${version}/bin/postgres`))
    .sort((a, b) => Number(b) - Number(a))[0];
  if (newest !== undefined) return `${parent}/${newest}/bin`;
  throw new AppError(
    "not-found",
    "the embedded database needs PostgreSQL's server: apt-get install postgresql, or set QVD_DATABASE_URL",
  );
}

/** Makes the cluster when there is none. A cut-off attempt leaves a draft, which the next one removes. */
export async function ensureCluster(place: ClusterPlace, prefix: Prefix): Promise<void> {
  const cluster = clusterFolder(place);
  if (!existsSync(cluster)) {
    const draft = `${cluster}.new`;
    await rm(draft, { recursive: true, force: true });
    // Synced, checksummed, and renamed only when complete: a power cut must not leave half a cluster in place.
    await runOk(
      "make the database's cluster",
      [
        ...prefix,
        `${place.binFolder}/initdb`,
        ...["--pgdata", draft, "--username", "qvd_owner", "--auth", "reject"],
        ...["--encoding", "UTF8", "--locale", "C.UTF-8", "--data-checksums", "--no-instructions"],
      ],
      { timeoutMs: 120_000, cwd: "/" },
    );
    await rename(draft, cluster);
  }
  await writeFile(`${cluster}/pg_hba.conf`, "local all all peer map=qvd\n");
  await writeFile(`${cluster}/pg_ident.conf`, renderIdentMap());
}

/** Which account may be which role: each its own; root any, since root could take any of them anyway. */
export function renderIdentMap(): string {
  const ofRoot = ["qvd_owner", ...PROCESS_ROLES].map((role) => ["root", role]);
  const pairs = [
    ...ofRoot,
    ["qvd-db", "qvd_owner"],
    ["qvd-auth", "qvd_auth"],
    ["qvd-broker", "qvd_broker"],
    ["qvd-admin", "qvd_admin"],
  ];
  return pairs.map(([account, role]) => `qvd ${account} ${role}\n`).join("");
}

export function postgresCommand(place: ClusterPlace, prefix: Prefix): readonly string[] {
  const settings = {
    listen_addresses: "",
    unix_socket_directories: place.socketFolder,
    unix_socket_permissions: "0777",
    shared_buffers: "32MB",
    // It keeps so much of its log's room, and needs no more of the disk: see `keep-room.ts`.
    min_wal_size: LOG_ROOM,
    max_wal_size: LOG_ROOM,
    // With any, each checkpoint makes a new file, and the server ends where a full disk refuses it.
    max_replication_slots: "0",
    max_connections: "100",
    log_destination: "stderr",
    logging_collector: "off",
    log_timezone: "UTC",
    timezone: "UTC",
  };
  return [
    ...prefix,
    // The database must not outlive the process that looks after it: the next one could not start its own.
    ...["/usr/bin/setpriv", "--pdeathsig", "INT", "--"],
    `${place.binFolder}/postgres`,
    ...["-D", clusterFolder(place)],
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
}
