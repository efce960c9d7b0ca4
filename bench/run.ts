/**
 * The door that `script/bench` uses:
 *
 *     bun bench/run.ts                   lists the benchmarks
 *     bun bench/run.ts --needs NAME      prints the packages that NAME needs
 *     bun bench/run.ts NAME [--json]     runs it
 */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Bench, type BenchIo, formatTable } from "./bench.ts";

const [first, ...rest] = process.argv.slice(2);
process.exit(await main(first, rest));

async function main(word: string | undefined, others: readonly string[]): Promise<number> {
  const benches = await readBenches();
  if (word === undefined || word === "--list") {
    for (const bench of benches) process.stdout.write(`${bench.name.padEnd(12)}${bench.summary}\n`);
    return 0;
  }
  const name = word === "--needs" ? others[0] : word;
  const bench = benches.find((candidate) => candidate.name === name);
  if (bench === undefined) {
    process.stderr.write(`No benchmark is called ${name}; script/bench lists them.\n`);
    return 2;
  }
  if (word === "--needs") {
    process.stdout.write(`${bench.needs.join(" ")}\n`);
    return 0;
  }
  return runBench(bench, others);
}

async function runBench(bench: Bench, words: readonly string[]): Promise<number> {
  const isJson = words.includes("--json");
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort("SIGINT"));
  process.once("SIGTERM", () => stop.abort("SIGTERM"));
  const io: BenchIo = { say: (text) => process.stderr.write(`${text}\n`), signal: stop.signal, words };
  io.say(`${bench.name}: ${bench.summary}`);
  const figures = await bench.run(io);
  process.stdout.write(isJson ? `${JSON.stringify(figures, null, 2)}\n` : `\n${formatTable(figures)}\n`);
  // An unmet goal is a result, not a failure of the benchmark.
  return 0;
}

/** Every file here that exports a benchmark named like itself. */
async function readBenches(): Promise<Bench[]> {
  const found: Bench[] = [];
  for (const file of readdirSync(import.meta.dir).sort()) {
    if (!file.endsWith(".ts") || file.endsWith(".test.ts") || file === "run.ts") continue;
    const exported: Record<string, unknown> = await import(join(import.meta.dir, file));
    const bench = Object.values(exported).find((value) => isBench(value, file.slice(0, -3)));
    if (isBench(bench, file.slice(0, -3))) found.push(bench);
  }
  return found;
}

function isBench(value: unknown, name: string): value is Bench {
  return (
    typeof value === "object" && value !== null && "run" in value && "name" in value && value.name === name
  );
}
