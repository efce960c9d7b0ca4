/**
 * A PostgreSQL as a site of this size has it (durable, on this machine) and a real PgBouncer before it, in
 * transaction pooling. Both unprivileged, in a folder of their own, by unix sockets.
 */

import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { DatabaseAddress, DatabaseRole } from "../../src/db/url.ts";
import { runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { readCpuSeconds, readProportionalMb } from "../processes.ts";

export type ScaleDatabase = {
  /** Past PgBouncer, for whoever measures. */
  direct(role: DatabaseRole): DatabaseAddress;
  pooled(role: DatabaseRole): DatabaseAddress;
  /** CPU seconds so far and memory of now, by program. */
  measure(): { readonly postgres: Use; readonly pgbouncer: Use };
  close(): Promise<void>;
};

export type Use = { readonly cpuSeconds: number; readonly memoryMb: number };

const BIN = "/usr/lib/postgresql/15/bin";
const ACCOUNT = "postgres";
const POOL = 16;

export async function startDatabase(folder: string): Promise<ScaleDatabase> {
  rmSync(folder, { recursive: true, force: true });
  for (const name of ["data", "direct", "pooled"]) mkdirSync(`${folder}/${name}`, { recursive: true });
  await runOk("own the folder", ["chown", "-R", `${ACCOUNT}:`, folder]);
  await startPostgres(folder);
  const bouncer = await startBouncer(folder);
  const postmaster = Number(readFileSync(`${folder}/data/postmaster.pid`, "utf8").split("\n")[0]);
  const at = (way: "direct" | "pooled") => (role: DatabaseRole) =>
    ({ kind: "socket", folder: `${folder}/${way}`, role, database: "postgres" }) as const;
  return {
    direct: at("direct"),
    pooled: at("pooled"),
    measure: () => ({
      postgres: use([postmaster, ...childrenOf(postmaster)]),
      pgbouncer: use([bouncer.pid]),
    }),
    close: async () => {
      bouncer.kill("SIGTERM");
      await bouncer.exited;
      await asAccount("stop PostgreSQL", [`${BIN}/pg_ctl`, "stop", "-m", "fast", "-D", `${folder}/data`]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startPostgres(folder: string): Promise<void> {
  const data = `${folder}/data`;
  const make = [`${BIN}/initdb`, "-D", data, "--auth=trust", "--username=qvd_owner", "--encoding=UTF8"];
  await asAccount("make a cluster", [...make, "--no-locale"]);
  // Durable: nothing that a commit promises is left out. Otherwise as for a machine with a few GB to spare.
  const settings = [
    "listen_addresses = ''",
    `unix_socket_directories = '${folder}/direct'`,
    "shared_buffers = 512MB",
    "max_wal_size = 4GB",
    "max_connections = 100",
    // What each statement costs: read only with QVD_SCALE_STATEMENTS.
    ...(process.env.QVD_SCALE_STATEMENTS === undefined
      ? []
      : ["shared_preload_libraries = 'pg_stat_statements'", "pg_stat_statements.track_planning = on"]),
  ];
  appendFileSync(`${data}/postgresql.conf`, `\n${settings.join("\n")}\n`);
  await asAccount("start PostgreSQL", [
    `${BIN}/pg_ctl`,
    "start",
    "-w",
    "-D",
    data,
    "-l",
    `${folder}/data/log`,
  ]);
}

async function startBouncer(folder: string): Promise<Bun.Subprocess> {
  const users = ["qvd_owner", "qvd_node", "qvd_admin", "qvd_broker"].map((role) => `"${role}" ""`);
  writeFileSync(`${folder}/users.txt`, `${users.join("\n")}\n`);
  const settings = [
    "[databases]",
    `* = host=${folder}/direct`,
    "[pgbouncer]",
    "listen_addr =",
    "listen_port = 5432",
    `unix_socket_dir = ${folder}/pooled`,
    "auth_type = trust",
    `auth_file = ${folder}/users.txt`,
    "pool_mode = transaction",
    `default_pool_size = ${POOL}`,
    "max_client_conn = 12000",
    // Not known to PgBouncer; a site gives them to the roles themselves (docs/operations).
    "ignore_startup_parameters = statement_timeout,lock_timeout,idle_in_transaction_session_timeout",
  ];
  writeFileSync(`${folder}/pgbouncer.ini`, `${settings.join("\n")}\n`);
  const command = ["/usr/sbin/pgbouncer", "-q", `${folder}/pgbouncer.ini`];
  const bouncer = Bun.spawn([...DROP, ...command], { cwd: "/", stdio: ["ignore", "ignore", "inherit"] });
  const isThere = () => readdirSync(`${folder}/pooled`).includes(".s.PGSQL.5432");
  if (!(await waitFor(isThere, { timeoutMs: 10_000 }))) throw new Error("PgBouncer did not come up");
  return bouncer;
}

const DROP = ["setpriv", `--reuid=${ACCOUNT}`, `--regid=${ACCOUNT}`, "--init-groups", "--"];

async function asAccount(doing: string, command: readonly string[]): Promise<void> {
  await runOk(doing, [...DROP, ...command], { cwd: "/", timeoutMs: 60_000 });
}

function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

/** Of processes that may end meanwhile. */
export function use(pids: readonly number[]): Use {
  let cpuSeconds = 0;
  let memoryMb = 0;
  for (const pid of pids)
    try {
      cpuSeconds += readCpuSeconds(pid);
      memoryMb += readProportionalMb(pid);
    } catch {
      // It has ended: what it used is in its parent's sum.
    }
  return { cpuSeconds, memoryMb };
}
