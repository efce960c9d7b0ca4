import { readFile } from "node:fs/promises";
import { createAuthClient } from "../../auth/client.ts";
import { parseBalancers } from "../../broker/balancers.ts";
import { createDatabaseStore } from "../../broker/database-store.ts";
import { createVisitStore } from "../../broker/gateway/visit-store.ts";
import { createWebStore, randomWebToken } from "../../broker/gateway/web-store.ts";
import { runBroker } from "../../broker/run-broker.ts";
import { readTls, type TlsFile, type TlsFiles } from "../../broker/tls/read-tls.ts";
import type { Config } from "../../config/load-config.ts";
import { SETTINGS } from "../../config/settings.ts";
import { type Database, openDatabase } from "../../db/client.ts";
import { attemptDatabase } from "../../db/errors.ts";
import { readOwnNodeId } from "../../db/queries/nodes.ts";
import { asId, type NodeId, type VmId } from "../../domain/ids.ts";
import type { Layout } from "../../domain/node/layout.ts";
import {
  type BrokerWorker,
  formatBrokerWorker,
  parseBrokerWorker,
} from "../../domain/session/broker-worker.ts";
import { AppError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { isProcessRunning, readProcessIdentity } from "../../lib/process.ts";
import {
  type BrokerState,
  brokerStateFile,
  removeBrokerState,
  writeBrokerState,
} from "../../wire/broker/state-file.ts";
import { connectWake } from "../../wire/wake/client.ts";
import { requireOption } from "../admin/arguments.ts";
import type { Command, CommandIo } from "../command.ts";
import { openMode } from "../mode.ts";
import { readBoxId } from "../node/read-box-id.ts";
import { createLateStore } from "./late-store.ts";

export const brokerRun: Command = {
  name: "broker run",
  summary: "Serve the QVD port: one worker.",
  options: {
    worker: {
      type: "text",
      value: "NUMBER",
      doc: "Which worker of this box it is; a restarted one keeps its number.",
    },
  },
  details:
    "Started by `qvd node run` as the account qvd-broker. Several workers listen on the same port. SIGTERM drains: balancers are told, then no new clients, an end with the last session. SIGUSR2 drains at once, since successors have the port. SIGINT ends at once.",
  examples: ["qvd broker run --worker 1"],
  async run(io, args) {
    const worker = parseWorker(requireOption(args, "worker"));
    const { config, layout, log, database: address } = openMode(io);
    const database = openDatabase(await address("qvd_broker"), { max: 4, applicationName: `qvd ${worker}` });
    const workerLog = log.with({ process: worker });
    const auth = createAuthClient({ path: layout.authSocketForBroker, log: workerLog });
    try {
      const key = await readFile(layout.tlsKey, "utf8");
      const certificate = await readFile(layout.tlsCertificate, "utf8");
      const authority = await readFile(layout.caCertificate, "utf8");
      const files = tlsFiles(config, layout);
      const first = await readTls(files, Date.now());
      const stateFile = brokerStateFile(layout.brokersFolder, process.pid);
      removeStateAtExit(stateFile);
      await runBroker({
        listen: {
          ...first.tls,
          address: config.brokerAddress,
          port: config.brokerPort,
          balancers: parseBalancers(config.brokerBalancers),
        },
        tls: { files, first },
        limits: {
          perAddress: config.brokerPerAddress,
          leaveMs: config.brokerLeaveSeconds * 1_000,
          drainMs: config.brokerDrainMinutes * 60_000,
        },
        findsOrphans: true,
        onState: (state) => tellState(stateFile, state, workerLog),
        consoleSocket: layout.consoleSocket,
        identity: { key, certificate, authority },
        store: createLateStore(async () =>
          createDatabaseStore({
            db: database.orm,
            nodeId: await findNode(database, config.nodeName, readBoxId(layout.stateFolder)),
            worker: formatBrokerWorker(ownIdentity(worker)),
            isGone,
          }),
        ),
        auth,
        visits: createVisitStore(database.orm, randomWebToken, config.nodeName),
        web: createWebStore(database.orm, randomWebToken, config.nodeName),
        connectWakes: (onWake) => {
          const client = connectWake({ path: layout.wakeSocket, onWake, log: workerLog });
          return {
            // The broker names the desktops that its own store gave it.
            wake: (topic, vmId) => client.wake(topic, vmId === undefined ? undefined : asId<VmId>(vmId)),
            close: () => client.close(),
          };
        },
        log: workerLog,
        ...endings(io),
      });
    } finally {
      auth.close();
      await database.close();
    }
    return 0;
  },
};

function parseWorker(text: string): string {
  if (/^[1-9][0-9]?$/.test(text)) return `broker-${text}`;
  throw new AppError(
    "bad-input",
    `--worker must be a number from 1 to 99, and ${JSON.stringify(text)} is not`,
  );
}

/** By the box too: under its name there may be another one, whose sittings this one's would seem to be. */
async function findNode(database: Database, name: string, boxId: string): Promise<NodeId> {
  const doing = `look up node ${name}`;
  const nodeId = await attemptDatabase(doing, () => readOwnNodeId(database.orm, name, boxId));
  if (nodeId !== undefined) return nodeId;
  throw new AppError(
    "unavailable",
    `${doing}: it has not registered yet; \`qvd node run\` does that when it starts`,
  );
}

/** TERM drains, INT ends at once, also while it drains; USR2 drains with the port in other hands. */
function endings({ signal }: CommandIo) {
  const [endNow, replaced] = [new AbortController(), new AbortController()];
  process.on("SIGINT", () => endNow.abort());
  process.on("SIGUSR2", () => replaced.abort());
  if (signal.reason === "SIGINT") endNow.abort();
  return { signal, endNow: endNow.signal, replaced: replaced.signal };
}

function ownIdentity(name: string): BrokerWorker {
  const { startTicks } = readProcessIdentity(process.pid) ?? { startTicks: 0 };
  return { name, pid: process.pid, startTicks };
}

/** By pid and start time; what an earlier version wrote names neither, and is older than every process. */
function isGone(worker: string): boolean {
  const parsed = parseBrokerWorker(worker);
  return parsed === undefined || !isProcessRunning(parsed);
}

function tellState(path: string, state: BrokerState, log: Log): void {
  try {
    writeBrokerState(path, state);
  } catch (error) {
    log.debug("state-not-told", { path, error });
  }
}

function removeStateAtExit(path: string): void {
  process.once("exit", () => removeBrokerState(path));
}

function tlsFiles(config: Config, layout: Layout): TlsFiles {
  const own = "the box's own";
  const isOwn = config.brokerCertificate === "";
  const key = isOwn ? { path: layout.tlsKey, setting: own } : file(config, "brokerKey");
  const certificate = isOwn
    ? { path: layout.tlsCertificate, setting: own }
    : file(config, "brokerCertificate");
  if (config.brokerClientCertificates === "no") return { key, certificate };
  return {
    key,
    certificate,
    clients: {
      isRequired: config.brokerClientCertificates === "required",
      authorities: file(config, "brokerClientCa"),
      revoked: config.brokerClientCrl === "" ? undefined : file(config, "brokerClientCrl"),
      siteAuthority: { path: layout.caCertificate, setting: "the site's authority" },
    },
  };
}

function file(
  config: Config,
  key: "brokerKey" | "brokerCertificate" | "brokerClientCa" | "brokerClientCrl",
): TlsFile {
  return { path: config[key], setting: SETTINGS[key].name };
}
