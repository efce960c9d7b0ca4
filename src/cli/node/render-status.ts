/** `qvd node status` for a person. Pure. */

import { describeLease } from "../../domain/node/describe-lease.ts";
import { formatMoment } from "../admin/format-moment.ts";
import type { Judgement, Seen, SeenNode, Verdict } from "./judge-status.ts";

const HEADLINES = {
  well: "is well",
  degraded: "works, but something is wrong",
  down: "is down",
  unknown: "can't be judged from here",
} as const satisfies Record<Verdict, string>;

export function renderStatus(seen: Seen, { verdict, problems }: Judgement): string {
  const node = typeof seen.node === "object" ? seen.node : undefined;
  const facts = node?.facts;
  const lines = [`Node ${seen.name} ${HEADLINES[verdict]}.`, ""];
  if (node !== undefined) {
    const process = seen.process?.isRunning ? `, process ${seen.process.pid}` : "";
    const lease = describeLease({
      epoch: node.epoch,
      isValid: node.isLeaseValid,
      lapsedMs: node.leaseLapsedMs,
      lostMs: node.leaseLostMs,
      facts: facts?.lease,
    });
    lines.push(
      `State     ${node.state}${renderDrain(node, seen.desktops.length)}${process}${facts ? `, version ${facts.version}` : ""}`,
      `Lease     ${lease}`,
    );
  }
  if (facts) {
    const memory = `${facts.memoryFreeMb} of ${facts.memoryMb} MB of memory free`;
    lines.push(`Machine   ${facts.cpus} processors, ${memory}, ${facts.diskFreeMb} MB of disk free`);
    for (const worker of facts.workers) {
      const carries = worker.connections === null ? "" : `, ${count(worker.connections, "session")}`;
      const refused = worker.turnedAway === undefined ? "" : `, ${worker.turnedAway} turned away`;
      const restarts = worker.restarts === 0 ? "" : `, ${count(worker.restarts, "restart")}`;
      const until =
        worker.deadlineAtMs === undefined
          ? ""
          : ` until ${formatMoment(new Date(worker.deadlineAtMs).toISOString())}`;
      lines.push(`${worker.name.padEnd(10)}${worker.state}${until}${carries}${refused}${restarts}`);
    }
  }
  lines.push("", ...renderDesktops(seen));
  for (const problem of problems) lines.push("", `! ${problem.text}`, `  ${problem.advice}`);
  return `${lines
    .join("\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trimEnd()}\n`;
}

function renderDrain({ drain }: SeenNode, desktops: number): string {
  if (drain === null || drain === undefined) return "";
  return desktops === 0 ? ", drained" : `, draining (desktops ${drain})`;
}

function renderDesktops({ desktops, node }: Seen): string[] {
  if (typeof node !== "object") return [];
  if (desktops.length === 0) return ["No desktops are placed here."];
  const width = Math.max(...desktops.map(({ name }) => name.length));
  return desktops.map((desktop) => {
    const session = desktop.isConnected ? ", connected" : desktop.xState === "suspended" ? ", suspended" : "";
    const age = desktop.ageSeconds === null ? "" : ` for ${formatAge(desktop.ageSeconds)}`;
    const fault = desktop.fault === null ? "" : ` — ${desktop.fault}`;
    return `${desktop.name.padEnd(width)}  ${desktop.state}${age}${session}, of ${desktop.user}${fault}`;
  });
}

/** The two largest units are enough for a person. */
export function formatAge(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const units = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
    [1, "s"],
  ] as const;
  const parts: string[] = [];
  let rest = whole;
  for (const [size, name] of units) {
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    if (amount > 0) parts.push(`${amount} ${name}`);
  }
  return parts.slice(0, 2).join(" ") || "0 s";
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}
