/** The door that `script/fault` uses: reads the options, runs, prints. 0 only if nothing was violated. */

import { fileURLToPath } from "node:url";
import { type FaultReport, runFaults } from "./fault-run.ts";
import { proveChecker } from "./prove-checker.ts";

const USAGE =
  "usage: script/fault [--minutes N] [--seed N] [--lease SECONDS] [--desktops N] [--machines N] [--prove-checker] [--json]";

process.exit(await main(process.argv.slice(2)));

async function main(words: readonly string[]): Promise<number> {
  const known = ["--minutes", "--seed", "--lease", "--desktops", "--machines"];
  const read = (name: string, fallback: number) => {
    const at = words.indexOf(name);
    return at < 0 ? fallback : Number(words[at + 1]);
  };
  const flags = words.filter((word) => word.startsWith("--") && !known.includes(word));
  const minutes = read("--minutes", 30);
  const values = [minutes, read("--seed", 1), read("--lease", 1), read("--desktops", 1)];
  if (
    flags.some((flag) => !["--json", "--prove-checker"].includes(flag)) ||
    !values.every((value) => value > 0) ||
    !(read("--machines", 1) >= 0)
  ) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort(new Error(name)));
  const options = {
    executable: fileURLToPath(new URL("../../dist/qvd", import.meta.url)),
    minutes,
    seed: read("--seed", (Date.now() % 100_000) + 1),
    desktops: read("--desktops", 12),
    machines: read("--machines", flags.includes("--prove-checker") ? 0 : 1),
    nodes: 3,
    // A short run sees as many takeovers with a shorter lease.
    leaseSeconds: read("--lease", minutes < 10 ? 5 : 10),
    say: (text: string) => void process.stderr.write(`${text}\n`),
    signal: stop.signal,
  };
  if (flags.includes("--prove-checker")) {
    const violations = await proveChecker(options);
    process.stdout.write(`${JSON.stringify(violations, null, 2)}\n`);
    return violations.length > 0 ? 0 : 1;
  }
  const report = await runFaults(options);
  process.stdout.write(flags.includes("--json") ? `${JSON.stringify(report, null, 2)}\n` : render(report));
  return isWell(report) ? 0 : 1;
}

function isWell({ violations, unserved, calmSeconds, machineCalmSeconds }: FaultReport): boolean {
  const isServed = unserved.length === 0 && calmSeconds !== null && machineCalmSeconds !== null;
  return isServed && violations.length === 0;
}

function render(report: FaultReport): string {
  const { violations, unserved, calmSeconds, machineCalmSeconds } = report;
  const faults = Object.entries(report.faults).map(([kind, count]) => `  ${kind.padEnd(18)}${count}`);
  return [
    `${report.minutes} minutes, seed ${report.seed}, ${report.nodes} nodes, ${report.desktops} containers, ${report.machines} machines, lease ${report.leaseSeconds} s`,
    ...faults,
    `${report.takeovers} takeovers; ${report.lives} lives (${report.machineLives} of machines) wrote ${report.beats} lines`,
    calmSeconds === null || machineCalmSeconds === null
      ? `not served after the faults: ${unserved.join(", ")}`
      : `all containers served again ${calmSeconds} s after the last fault, with the machines ${machineCalmSeconds} s`,
    violations.length === 0
      ? "no desktop ran twice, and no acknowledged write was lost"
      : `${violations.length} violations:`,
    ...violations.slice(0, 20).map(({ desktop, kind, text }) => `  ${desktop}: ${kind}: ${text}`),
    "",
  ].join("\n");
}
