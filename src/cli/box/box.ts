/**
 * A whole box in its order: database, schema, node (which starts auth and brokers), admin; and back. Each part
 * is watched and restarted by its `Part`; this file knows what "ready" means for each.
 */

import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Config } from "../../config/load-config.ts";
import { openClient } from "../../db/client.ts";
import type { Layout } from "../../domain/node/layout.ts";
import { AppError, describeError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { isProcessRunning, readProcessIdentity } from "../../lib/process.ts";
import { waitFor } from "../../lib/wait.ts";
import { endLeftWorkers } from "../../node/end-left-workers.ts";
import { readProcessFile } from "../../node/process-file.ts";
import { type Account, readAccount } from "../accounts.ts";
import { childEnv, fingerprintOf, ourselves, rootChildEnv } from "../child.ts";
import { migrateDatabase } from "../migrate.ts";
import type { Mode } from "../mode.ts";
import { PROCESS_MEMORY } from "../process-memory.ts";
import { Part, type PartOptions } from "./part.ts";
import { type BoxStatus, readBoxStatus, writeBoxStatus } from "./status-file.ts";

const DATABASE_READY_MS = 60_000;
const NODE_READY_MS = 30_000;
const ADMIN_READY_MS = 30_000;
/** A part that died this often while it was awaited does not come up. */
const MOST_EARLY_ENDS = 3;
/** Of a part's log, for a person. */
const MOST_WORDS = 500;

export type BoxDeps = {
  readonly mode: Mode;
  readonly cgroupFolder: string;
  /** Says to a person what happens. */
  readonly tell: (text: string) => void;
};

export class Box {
  readonly #deps: BoxDeps;
  readonly #config: Config;
  readonly #layout: Layout;
  readonly #log: Log;
  readonly #parts: Part[] = [];
  #state: BoxStatus["state"] = "starting";
  #text = "";

  constructor(deps: BoxDeps) {
    this.#deps = deps;
    this.#config = deps.mode.config;
    this.#layout = deps.mode.layout;
    this.#log = deps.mode.log;
  }

  /** Resolves when clients and administrators are answered; false when the signal came first. */
  async start(signal: AbortSignal): Promise<boolean> {
    const before = readBoxStatus(this.#layout)?.processes ?? [];
    const steps = [
      () => this.#startDatabase(before, signal),
      () => this.#migrate(),
      () => this.#startNode(before, signal),
      () => this.#startAdmin(before, signal),
    ];
    for (const step of steps) {
      if (signal.aborted) return false;
      await step();
    }
    if (signal.aborted) return false;
    this.#say(
      "ready",
      `QVD clients: port ${this.#config.brokerPort}; web admin tool: port ${this.#config.adminPort}`,
    );
    return true;
  }

  /** In the order of dependence; true when every part ended by itself. */
  async stop(): Promise<boolean> {
    let isClean = true;
    this.#say("stopping", "stopping desktops, brokers, admin and database");
    const node = this.#parts.filter((part) => part.name === "node");
    const rest = this.#parts.filter((part) => part.name !== "node").reverse();
    for (const part of [...node, ...rest]) {
      const hasEnded = await part.stop();
      if (!hasEnded) this.#log.error("part-killed", { part: part.name });
      isClean &&= hasEnded;
      // A node that was killed, or could not start, has left them.
      if (part.name === "node") await this.#endLeftWorkers();
    }
    this.#parts.length = 0;
    this.#say("stopped", "stopped");
    return isClean;
  }

  fail(error: unknown): void {
    this.#say("failed", describeError(error));
  }

  async #endLeftWorkers(): Promise<void> {
    for (const { name, pid } of await endLeftWorkers(this.#layout.nodeProcessFile))
      this.#log.warn("left-worker-ended", { worker: name, pid });
  }

  async #startDatabase(before: BoxStatus["processes"], signal: AbortSignal): Promise<void> {
    if (this.#config.databaseUrl !== "") return;
    this.#say("starting", "database");
    const part = this.#add({
      spec: this.#spec("db", ["db", "run"], undefined),
      stopSignal: "SIGTERM",
      stopTimeoutMs: 45_000,
    });
    part.start(before);
    await this.#awaitPart(part, DATABASE_READY_MS, signal, () => this.#isDatabaseUp());
  }

  async #migrate(): Promise<void> {
    this.#say("starting", "schema of the database");
    const { from, to } = await migrateDatabase(this.#deps.mode);
    if (from !== to) this.#log.info("database-migrated", { from, to });
  }

  async #startNode(before: BoxStatus["processes"], signal: AbortSignal): Promise<void> {
    this.#say("starting", "node");
    const part = this.#add({
      spec: this.#spec("node", ["node", "run"], undefined),
      stopSignal: "SIGINT",
      // Desktops have 90 s to save their work.
      stopTimeoutMs: 120_000,
    });
    part.start(before);
    const { brokerAddress, brokerPort } = this.#config;
    await this.#awaitPart(part, NODE_READY_MS, signal, async () => {
      const file = readProcessFile(this.#layout.nodeProcessFile);
      if ((file?.nodeId ?? 0) <= 0 || file?.node === null) return false;
      // Brokers that listen before auth does would turn the first people away.
      const isAuthUp = await isListening({ path: this.#layout.authSocketForBroker });
      return isAuthUp && (await isListening(asPlace(brokerAddress, brokerPort)));
    });
  }

  async #startAdmin(before: BoxStatus["processes"], signal: AbortSignal): Promise<void> {
    this.#say("starting", "web admin tool");
    await this.#refuseTakenPort(before);
    const part = this.#add({
      spec: this.#spec("admin", ["admin", "run"], readAccount("qvd-admin")),
      stopSignal: "SIGTERM",
      stopTimeoutMs: 10_000,
    });
    part.start(before);
    const { adminAddress, adminPort } = this.#config;
    await this.#awaitPart(part, ADMIN_READY_MS, signal, () => isListening(asPlace(adminAddress, adminPort)));
  }

  /** Else the other program's answer would pass for ours. */
  async #refuseTakenPort(before: BoxStatus["processes"]): Promise<void> {
    const { adminAddress, adminPort } = this.#config;
    const isOurs = before.some((entry) => entry.name === "admin" && isProcessRunning(entry));
    if (isOurs || !(await isListening(asPlace(adminAddress, adminPort)))) return;
    throw new AppError(
      "conflict",
      `starting the box: another program listens on port ${adminPort} already, which is the web admin tool's; end it, or set QVD_ADMIN_PORT`,
    );
  }

  #spec(name: string, words: readonly string[], account: Account | undefined): PartOptions["spec"] {
    const env = account === undefined ? rootChildEnv(this.#config) : childEnv(this.#config);
    // Node and admin leave all that people use alone when they start anew.
    const fingerprint = name === "db" ? {} : { fingerprint: fingerprintOf(env) };
    const command = [...ourselves(), ...words];
    return { name, command, account, env: { ...env, ...PROCESS_MEMORY }, ...fingerprint };
  }

  #add(options: Pick<PartOptions, "spec" | "stopSignal" | "stopTimeoutMs">): Part {
    const part = new Part({
      ...options,
      logsFolder: this.#layout.logsFolder,
      cgroupFolder: this.#deps.cgroupFolder,
      log: this.#log,
      onChange: () => this.#write(),
    });
    this.#parts.push(part);
    return part;
  }

  async #awaitPart(
    part: Part,
    timeoutMs: number,
    signal: AbortSignal,
    isReady: () => Promise<boolean>,
  ): Promise<void> {
    const earlier = part.restarts();
    const outcome = await waitFor(
      async () => {
        if (part.restarts() - earlier >= MOST_EARLY_ENDS) return "dies";
        return (await isReady()) && "ready";
      },
      { timeoutMs, everyMs: 50, signal },
    );
    if (outcome === "ready" || signal.aborted) return;
    const what = outcome === "dies" ? "ends again and again" : `was not ready after ${timeoutMs / 1000} s`;
    throw new AppError(
      "unavailable",
      `starting the box: ${part.name} ${what}; ${this.#readLastWords(part.name)}`,
    );
  }

  /** What a part said last is most often why it ended. */
  #readLastWords(partName: string): string {
    const file = `${this.#layout.logsFolder}/${partName}.log`;
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    // What follows indented belongs to the line before.
    const last =
      text
        .trimEnd()
        .split(/\n(?!\s)/)
        .at(-1)
        ?.replace(/\s+/g, " ")
        .slice(0, MOST_WORDS) ?? "";
    return last === "" ? `see ${file}` : `its last words, from ${file}: ${last}`;
  }

  async #isDatabaseUp(): Promise<boolean> {
    const owner = await this.#deps.mode.database("qvd_owner");
    if (owner.kind !== "socket") return true;
    const client = openClient({ ...owner, database: "postgres" });
    try {
      await client`select 1`;
      return true;
    } catch {
      // Not there yet, or still replaying its log; the caller has a deadline.
      return false;
    } finally {
      await client.end({ timeout: 1 });
    }
  }

  #say(state: BoxStatus["state"], text: string): void {
    this.#state = state;
    this.#text = text;
    this.#deps.tell(state === "starting" ? `starting: ${text}` : state === "ready" ? `ready: ${text}` : text);
    this.#write();
  }

  #write(): void {
    writeBoxStatus(this.#layout, {
      state: this.#state,
      text: this.#text,
      box: this.#state === "stopped" ? null : (readProcessIdentity(process.pid) ?? null),
      processes: this.#parts.flatMap((part) => {
        const entry = part.entry();
        return entry === undefined ? [] : [{ ...entry }];
      }),
    });
  }
}

type Place = { readonly host: string; readonly port: number } | { readonly path: string };

function asPlace(address: string, port: number): Place {
  return { host: address === "0.0.0.0" || address === "::" ? "localhost" : address, port };
}

/** Whether something accepts connections there; nothing is sent. */
function isListening(place: Place): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...place, timeout: 1_000 });
    const end = (isUp: boolean) => {
      socket.destroy();
      resolve(isUp);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });
}
