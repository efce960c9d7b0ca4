import { readFile } from "node:fs/promises";
import { createAuthClient } from "../../auth/client.ts";
import { createDatabaseStore } from "../../broker/database-store.ts";
import { runBroker } from "../../broker/run-broker.ts";
import { type Database, openDatabase } from "../../db/client.ts";
import { attemptDatabase } from "../../db/errors.ts";
import { readNodeId } from "../../db/queries/nodes.ts";
import { asId, type NodeId, type VmId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { connectWake } from "../../wire/wake/client.ts";
import { requireOption } from "../admin/arguments.ts";
import type { Command } from "../command.ts";
import { openMode } from "../mode.ts";
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
    "Started by `qvd node run` as the account qvd-broker. Several workers listen on the same port. SIGTERM drains: no new clients, an end with the last session; SIGINT ends at once.",
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
      await runBroker({
        listen: {
          address: config.brokerAddress,
          port: config.brokerPort,
          tlsKey: key,
          tlsCertificate: certificate,
        },
        identity: { key, certificate, authority },
        store: createLateStore(async () =>
          createDatabaseStore({
            db: database.orm,
            nodeId: await findNode(database, config.nodeName),
            worker,
          }),
        ),
        auth,
        connectWakes: (onWake) => {
          const client = connectWake({ path: layout.wakeSocket, onWake, log: workerLog });
          return {
            // The broker names the desktops that its own store gave it.
            wake: (topic, vmId) => client.wake(topic, vmId === undefined ? undefined : asId<VmId>(vmId)),
            close: () => client.close(),
          };
        },
        log: workerLog,
        ...endings(io.signal),
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

async function findNode(database: Database, name: string): Promise<NodeId> {
  const doing = `look up node ${name}`;
  const nodeId = await attemptDatabase(doing, () => readNodeId(database.orm, name));
  if (nodeId !== undefined) return nodeId;
  throw new AppError(
    "unavailable",
    `${doing}: it has not registered yet; \`qvd node run\` does that when it starts`,
  );
}

/** Both signals end us; only SIGINT does not wait for sessions. */
function endings(signal: AbortSignal): { readonly signal: AbortSignal; readonly endNow: AbortSignal } {
  const endNow = new AbortController();
  signal.addEventListener("abort", () => signal.reason === "SIGINT" && endNow.abort(), { once: true });
  return { signal, endNow: endNow.signal };
}
