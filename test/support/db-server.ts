/**
 * A PostgreSQL of the tests' own: an unprivileged account, a folder, a unix socket, no durability. Anybody on
 * the machine may be any role there (`trust`), so that one test process can play all of ours.
 */

import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, stat } from "node:fs/promises";
import { runOk } from "../../src/lib/run.ts";

export type Server = {
  readonly folder: string;
  readonly socketFolder: string;
};

export function serverAt(folder: string): Server {
  return { folder, socketFolder: `${folder}/socket` };
}

const BIN = "/usr/lib/postgresql/15/bin";

/** Makes the cluster when there is none, and starts it when it doesn't run. */
export async function startServer(server: Server): Promise<void> {
  const account = await chooseAccount(server);
  if (!existsSync(`${server.folder}/data/PG_VERSION`)) await makeCluster(server, account);
  if (await isServerRunning(server, account)) return;
  await asAccount(account, "start PostgreSQL for the tests", [
    `${BIN}/pg_ctl`,
    "start",
    "--wait",
    "--timeout=30",
    `--pgdata=${server.folder}/data`,
    `--log=${server.folder}/log`,
  ]);
}

/** `fast` ends sessions and stops cleanly; `immediate` is as good as a crash. */
export async function stopServer(server: Server, mode: "fast" | "immediate" = "fast"): Promise<void> {
  const account = await chooseAccount(server);
  if (!(await isServerRunning(server, account))) return;
  await asAccount(account, "stop PostgreSQL of the tests", [
    `${BIN}/pg_ctl`,
    "stop",
    `--mode=${mode}`,
    "--wait",
    `--pgdata=${server.folder}/data`,
  ]);
}

async function isServerRunning(server: Server, account: string | undefined): Promise<boolean> {
  try {
    await asAccount(account, "look for PostgreSQL", [
      `${BIN}/pg_ctl`,
      "status",
      `--pgdata=${server.folder}/data`,
    ]);
    return true;
  } catch {
    // It says so by its exit code, which is all that is asked.
    return false;
  }
}

async function makeCluster(server: Server, account: string | undefined): Promise<void> {
  await mkdir(server.folder, { recursive: true });
  if (account !== undefined) await runOk("own the folder", ["chown", `${account}:`, server.folder]);
  await asAccount(account, "make folders", ["mkdir", "-p", server.socketFolder]);
  await asAccount(account, "make a cluster for the tests", [
    `${BIN}/initdb`,
    `--pgdata=${server.folder}/data`,
    "--auth=trust",
    "--username=qvd_owner",
    "--encoding=UTF8",
    "--no-locale",
    "--no-sync",
  ]);
  const settings = [
    "listen_addresses = ''",
    `unix_socket_directories = '${server.socketFolder}'`,
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
    "shared_buffers = 64MB",
    "max_connections = 300",
    "timezone = 'UTC'",
  ];
  await appendFile(`${server.folder}/data/postgresql.conf`, `\n${settings.join("\n")}\n`);
}

/** PostgreSQL refuses root; undefined means that we are somebody else already. Whoever made a cluster keeps it. */
async function chooseAccount(server: Server): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const data = `${server.folder}/data`;
  const uid = existsSync(data) ? String((await stat(data)).uid) : undefined;
  const owner = uid === undefined ? undefined : accounts.find((fields) => fields[2] === uid);
  if (owner?.[0] !== undefined && uid !== "0") return owner[0];
  return accounts.some((fields) => fields[0] === "qvd-db") ? "qvd-db" : "postgres";
}

async function asAccount(account: string | undefined, doing: string, command: string[]): Promise<void> {
  const drop = ["setpriv", `--reuid=${account}`, `--regid=${account}`, "--init-groups", "--"];
  await runOk(doing, account === undefined ? command : [...drop, ...command], { cwd: "/" });
}
