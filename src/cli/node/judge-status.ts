/** What `qvd node status` says of a node, decided from what was seen of it. Pure. */

import type { NodeFacts, NodeProblem } from "../../domain/node/report.ts";
import type { VmState } from "../../domain/vm/state.ts";

export type SeenNode = {
  readonly name: string;
  readonly state: "starting" | "running" | "stopping" | "stopped";
  readonly isBlocked: boolean;
  /** It is being emptied; that is as somebody wants it, so the verdict doesn't mind. */
  readonly drain?: "finish" | "move" | null;
  readonly reportAgeMs: number | null;
  readonly isLeaseValid: boolean;
  readonly epoch: number | null;
  readonly leaseValidUntil: string | null;
  readonly leaseLapsedMs: number | null;
  readonly leaseLostMs: number | null;
  readonly facts: NodeFacts | null;
};

export type SeenDesktop = {
  readonly id: number;
  readonly name: string;
  readonly user: string;
  readonly state: VmState;
  /** How long it has been in that state; null before its first report. */
  readonly ageSeconds: number | null;
  readonly isConnected: boolean;
  readonly xState: string;
  readonly fault: string | null;
};

export type Seen = {
  readonly name: string;
  /** The node process of this box by its process file; undefined when there is no such file. */
  readonly process: { readonly pid: number; readonly isRunning: boolean } | undefined;
  /** Undefined when the database can't be asked; then `databaseFault` says why. */
  readonly node: SeenNode | "unregistered" | undefined;
  readonly databaseFault: string | undefined;
  readonly desktops: readonly SeenDesktop[];
  /** Days until the certificate lapses that clients are shown; undefined when it can't be read. */
  readonly certificateDays: number | undefined;
};

export const VERDICTS = { well: 0, degraded: 1, down: 2, unknown: 3 } as const;
export type Verdict = keyof typeof VERDICTS;

export type Judgement = { readonly verdict: Verdict; readonly problems: readonly NodeProblem[] };

/** A node reports at every change, and every few seconds besides. */
const STALE_MS = 30_000;
/** The box renews its own at a start 30 days before: this is for boxes that run on, and certificates of the site. */
const CERTIFICATE_WARNING_DAYS = 14;

export function judgeStatus(seen: Seen): Judgement {
  const problems = [
    ...listProcessProblems(seen),
    ...listDatabaseProblems(seen),
    ...listCertificateProblems(seen),
  ];
  if (seen.process?.isRunning === false) return { verdict: "down", problems };
  if (seen.process === undefined) {
    const isKnownDown =
      seen.node === "unregistered" || (typeof seen.node === "object" && !isFresh(seen.node));
    return { verdict: isKnownDown ? "down" : "unknown", problems };
  }
  return { verdict: problems.length === 0 ? "well" : "degraded", problems };
}

function listProcessProblems({ process, name }: Seen): NodeProblem[] {
  if (process?.isRunning) return [];
  const text =
    process === undefined
      ? `No node process was ever started here with these settings (node ${name}).`
      : "The node process does not run: desktops go on, but nothing starts, stops or answers for them.";
  return [
    {
      text,
      advice:
        "Start it: `qvd box run`, or `qvd node run` where systemd keeps the rest. Its log says why it ended.",
    },
  ];
}

function listDatabaseProblems({ node, databaseFault, process }: Seen): readonly NodeProblem[] {
  if (node === undefined)
    return [
      {
        text: `The database can't be asked: ${databaseFault ?? "no reason known"}.`,
        advice:
          "Sessions go on meanwhile. Look at the log `db.log` in the logs folder, or at the server of QVD_DATABASE_URL.",
      },
    ];
  if (node === "unregistered")
    return [
      {
        text: "The database does not know this node.",
        advice:
          "It registers when `qvd node run` starts. Do QVD_NODE_NAME and QVD_DATABASE_URL name the right ones?",
      },
    ];
  const problems: NodeProblem[] = [];
  if (process?.isRunning && !isFresh(node))
    problems.push({
      text: "The node process runs but has not reported for a while.",
      advice: "Read node.log in the logs folder; restarting `qvd node run` harms no session.",
    });
  if (node.state !== "running" && process?.isRunning)
    problems.push({ text: `The node is ${node.state}.`, advice: "Wait a moment and look again." });
  if (node.isBlocked)
    problems.push({
      text: "The node is blocked: it takes no new connections.",
      advice: "Unblock it on its page in the web admin tool when its maintenance is over.",
    });
  const said = node.facts?.problems ?? [];
  const isLeaseSaid = said.some(({ text }) => text.includes("lease"));
  if (!node.isLeaseValid && !isLeaseSaid)
    problems.push({
      text: "The node's lease has lapsed.",
      advice: "The node renews it every 3 s while it reaches the database; read node.log in the logs folder.",
    });
  return [...problems, ...said];
}

function listCertificateProblems({ certificateDays: days }: Seen): NodeProblem[] {
  if (days === undefined || days >= CERTIFICATE_WARNING_DAYS) return [];
  const text =
    days < 0
      ? "The certificate has lapsed: clients refuse this box."
      : `The certificate lapses in ${Math.floor(days)} d: then clients refuse this box.`;
  return [
    {
      text,
      advice:
        "Stop the box and start it again: it renews a certificate of its own. One of the site's is replaced in secrets/tls.key and secrets/tls.crt of the state folder before that.",
    },
  ];
}

function isFresh(node: SeenNode): boolean {
  return node.reportAgeMs !== null && node.reportAgeMs < STALE_MS && node.state !== "stopped";
}
