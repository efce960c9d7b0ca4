import { openDatabase } from "../../db/client.ts";
import { listDesktops } from "../../db/queries/desktops.ts";
import { readNodeByName } from "../../db/queries/nodes.ts";
import { asId, type NodeId } from "../../domain/ids.ts";
import { describeError } from "../../lib/errors.ts";
import { isProcessRunning } from "../../lib/process.ts";
import { readProcessFile } from "../../node/process-file.ts";
import type { Command } from "../command.ts";
import { type Mode, openMode, requireRoot } from "../mode.ts";
import { judgeStatus, type Seen, type SeenDesktop, VERDICTS } from "./judge-status.ts";
import { parseFacts } from "./parse-facts.ts";
import { readCertificateEnd } from "./read-certificate-end.ts";
import { renderStatus } from "./render-status.ts";

export const nodeStatus: Command = {
  name: "node status",
  summary: "Show how this node is, what is wrong and what to do about it.",
  options: { json: { type: "flag", doc: "Print JSON, for programs." } },
  details:
    "Reads the node's process file and the database, as root of the box. Give it the settings that the node was started with (QVD_STATE, QVD_INSTANCE).",
  examples: ["qvd node status", "qvd node status --json"],
  exitCodes: { 0: "well", 1: "degraded", 2: "down", 3: "can't tell" },
  async run(io, args) {
    const isJson = args.options.json === true;
    try {
      requireRoot("qvd node status");
      const seen = await observeNode(openMode(io));
      const judgement = judgeStatus(seen);
      if (isJson) io.out(`${JSON.stringify({ ...judgement, ...seen }, null, 2)}\n`);
      else io.out(renderStatus(seen, judgement));
      return VERDICTS[judgement.verdict];
    } catch (error) {
      const text = describeError(error);
      if (isJson)
        io.out(`${JSON.stringify({ verdict: "unknown", problems: [{ text, advice: "" }] }, null, 2)}\n`);
      else io.err(`qvd node status: ${text}\n`);
      return VERDICTS.unknown;
    }
  },
};

const MOST_DESKTOPS = 500;
const DAY_MS = 86_400_000;

async function observeNode(mode: Mode): Promise<Seen> {
  const name = mode.config.nodeName;
  const process = observeProcess(mode);
  const certificateEnd = await readCertificateEnd(
    mode.config.brokerCertificate || mode.layout.tlsCertificate,
  );
  const certificateDays = certificateEnd && (certificateEnd.getTime() - Date.now()) / DAY_MS;
  const box = { name, process, certificateDays };
  const database = openDatabase(await mode.database("qvd_node"), {
    max: 1,
    applicationName: "qvd node status",
  });
  try {
    const node = await readNodeByName(database.orm, name);
    if (node === undefined) return { ...box, node: "unregistered", databaseFault: undefined, desktops: [] };
    const desktops = await listDesktops(
      database.orm,
      { nodeId: asId<NodeId>(node.id) },
      { page: 1, pageSize: MOST_DESKTOPS },
    );
    const seenNode = {
      name,
      state: node.state,
      isBlocked: node.isBlocked,
      drain: node.drain,
      reportAgeMs: node.reportAgeMs,
      isLeaseValid: node.isLeaseValid,
      epoch: node.epoch === null ? null : Number(node.epoch),
      leaseValidUntil: node.leaseValidUntil?.toISOString() ?? null,
      leaseLapsedMs: node.leaseLapsedMs,
      leaseLostMs: node.leaseLostMs,
      facts: parseFacts(node.facts),
    };
    return {
      ...box,
      node: seenNode,
      databaseFault: undefined,
      desktops: desktops.items.map(seenDesktop),
    };
  } catch (error) {
    return { ...box, node: undefined, databaseFault: rootCause(error), desktops: [] };
  } finally {
    await database.close();
  }
}

function observeProcess({ layout }: Mode): Seen["process"] {
  const file = readProcessFile(layout.nodeProcessFile);
  if (file === undefined) return undefined;
  const { node } = file;
  return node === null ? { pid: 0, isRunning: false } : { pid: node.pid, isRunning: isProcessRunning(node) };
}

function seenDesktop(row: Awaited<ReturnType<typeof listDesktops>>["items"][number]): SeenDesktop {
  return {
    id: row.id,
    name: row.name,
    user: row.user,
    state: row.state,
    ageSeconds: row.stateAt === null ? null : (Date.now() - new Date(row.stateAt).getTime()) / 1000,
    isConnected: row.isConnected,
    xState: row.xState,
    fault: row.fault,
  };
}

/** The innermost error says what happened; those around it only that a query failed. */
function rootCause(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause !== undefined) inner = inner.cause;
  return describeError(inner);
}
