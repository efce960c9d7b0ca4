/**
 * The database of a lab of several nodes: a PostgreSQL of its own on an address of the lab's network, so that
 * nodes reach it by the network and can be cut off from it; it can be stopped, killed and started again.
 */

import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { type Database, openDatabase } from "../../src/db/client.ts";
import { migrate } from "../../src/db/migrate.ts";
import { DATABASE_NAME, type DatabaseAddress, type DatabaseRole } from "../../src/db/url.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { sleep, waitFor } from "../../src/lib/wait.ts";

const BIN = "/usr/lib/postgresql/15/bin";
const PORT = 5432;
const FOLLOW_MS = 3_000;
const START_MS = 180_000;

export class LabDatabase {
  readonly #folder: string;
  readonly #address: string;
  readonly #network: string;
  /** Folder of the cluster that serves now, below the database's. */
  #cluster = "data";

  /** `network` may connect, as anybody: the lab's nodes are the tests' own. */
  constructor(of: { readonly folder: string; readonly address: string; readonly network: string }) {
    this.#folder = of.folder;
    this.#address = of.address;
    this.#network = of.network;
  }

  get url(): string {
    return `postgres://qvd_owner@${this.#address}:${PORT}/${DATABASE_NAME}`;
  }

  async create(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await runOk("owning the folder", ["chown", "postgres:", this.#folder]);
    await this.#as("making a cluster", [
      ...[`${BIN}/initdb`, `--pgdata=${this.#data}`, "--auth=trust", "--username=qvd_owner"],
      ...["--encoding=UTF8", "--no-locale", "--no-sync"],
    ]);
    const settings = [
      `listen_addresses = '${this.#address}'`,
      `port = ${PORT}`,
      `unix_socket_directories = '${this.#folder}'`,
      "shared_buffers = 64MB",
      "max_connections = 200",
      "timezone = 'UTC'",
    ];
    await appendFile(`${this.#data}/postgresql.conf`, `\n${settings.join("\n")}\n`);
    await writeFile(
      `${this.#data}/pg_hba.conf`,
      `local all,replication all trust\nhost all all ${this.#network} trust\n`,
    );
    await this.start();
    await this.#as("making the database", [
      ...[`${BIN}/createdb`, "-h", this.#folder, "-U", "qvd_owner", DATABASE_NAME],
    ]);
    await migrate({ kind: "socket", folder: this.#folder, role: "qvd_owner", database: DATABASE_NAME });
  }

  /** As owner, over its socket: nothing of the lab's faults cuts it, but for its own stops. */
  open(): Database {
    return openDatabase(this.addressOf("qvd_owner"), { max: 4, applicationName: "lab" });
  }

  /** The same for any role. */
  addressOf(role: DatabaseRole): DatabaseAddress {
    return { kind: "socket", folder: this.#folder, role, database: DATABASE_NAME };
  }

  /** On a busy machine what is left of a crashed one takes its time to end, and refuses the next until then. */
  async start(): Promise<void> {
    const command = [
      ...[`${BIN}/pg_ctl`, "start", "--wait", "--timeout=60"],
      ...[`--pgdata=${this.#data}`, `--log=${this.#folder}/log`],
    ];
    let fault: unknown;
    const start = () =>
      this.#as("starting the database", command).then(
        () => true,
        async (error) => {
          fault = error;
          // An earlier try may have been given up too soon.
          const isReady = this.#command([`${BIN}/pg_isready`, "-h", this.#folder]);
          return (await run(isReady, { cwd: "/" })).exitCode === 0;
        },
      );
    if (!(await waitFor(start, { timeoutMs: START_MS, everyMs: 1_000 }))) throw fault;
  }

  /** `immediate` is as good as a crash. */
  async stop(mode: "fast" | "immediate"): Promise<void> {
    await run(
      this.#command([`${BIN}/pg_ctl`, "stop", `--mode=${mode}`, "--wait", `--pgdata=${this.#data}`]),
      {
        cwd: "/",
        timeoutMs: 60_000,
      },
    );
  }

  /** A second server follows the first; then the first dies, and the second takes its place and its address. */
  async failOverToStandby(): Promise<void> {
    const standby = `${this.#folder}/standby`;
    await this.#as("copying the database", [
      ...[`${BIN}/pg_basebackup`, "-h", this.#folder, "-U", "qvd_owner", "-D", standby],
      ...["--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream"],
    ]);
    const at = [`--pgdata=${standby}`, `--log=${this.#folder}/standby.log`];
    await this.#as("following", [`${BIN}/pg_ctl`, "start", "--wait", "-o", `-p ${PORT + 1}`, ...at]);
    await sleep(FOLLOW_MS);
    await this.stop("immediate");
    await this.#as("moving to the address", [
      `${BIN}/pg_ctl`,
      "restart",
      "--wait",
      "-o",
      `-p ${PORT}`,
      ...at,
    ]);
    await this.#as("promoting", [`${BIN}/pg_ctl`, "promote", "--wait", `--pgdata=${standby}`]);
    this.#cluster = "standby";
  }

  get #data(): string {
    return `${this.#folder}/${this.#cluster}`;
  }

  #command(command: readonly string[]): string[] {
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", ...command];
  }

  async #as(doing: string, command: readonly string[]): Promise<void> {
    await runOk(doing, this.#command(command), { cwd: "/", timeoutMs: 120_000 });
  }
}
