/** The door that `script/fuzz` uses: reads the options, runs, prints. 0 only if nothing broke. */

import { parseArgs } from "node:util";
import { type DoorReport, runDoor } from "./door-run.ts";
import { type FuzzReport, HANG_MS, MOST_GROWN_BYTES, runFuzz } from "./fuzz-run.ts";
import { type GatewayReport, runGateway } from "./gateway-run.ts";
import { MOST_GROWN_KB } from "./strangers.ts";

const USAGE = "usage: script/fuzz [--inputs N] [--connections N] [--gateway N] [--seed N] [--json]";

process.exit(await main(process.argv.slice(2)));

async function main(words: readonly string[]): Promise<number> {
  const options = readOptions(words);
  if (options === undefined) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const { inputs, connections, gateway: pages, seed } = options;
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort(new Error(name)));
  const { signal } = stop;
  process.stderr.write(
    `${inputs} inputs, ${connections} connections and ${pages} inputs of browsers, seed ${seed}\n`,
  );
  const readers = await runFuzz({ inputs, seed, signal });
  const door = connections === 0 ? undefined : await runDoor({ connections, seed, signal });
  const gateway = pages === 0 ? undefined : await runGateway({ inputs: pages, seed, signal });
  const areDoorsWell = [door, gateway].every((report) => report === undefined || isDoorWell(report));
  const isWell = areReadersWell(readers) && areDoorsWell;
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ isWell, readers, door, gateway }, null, 2)}\n`
      : render(readers, door, gateway),
  );
  return isWell ? 0 : 1;
}

function readOptions(words: readonly string[]) {
  const number = { type: "string" } as const;
  const options = {
    inputs: number,
    connections: number,
    gateway: number,
    seed: number,
    json: { type: "boolean" },
  } as const;
  try {
    const { values } = parseArgs({ args: [...words], options });
    const inputs = Number(values.inputs ?? 10_000_000);
    const connections = Number(values.connections ?? 20_000);
    const gateway = Number(values.gateway ?? 500_000);
    const seed = Number(values.seed ?? (Date.now() % 100_000) + 1);
    const areNumbers = [inputs, connections, gateway, seed].every(
      (value) => Number.isSafeInteger(value) && value >= 0,
    );
    return areNumbers && inputs > 0
      ? { inputs, connections, gateway, seed, json: values.json === true }
      : undefined;
  } catch {
    // An option that isn't one: the usage says which there are.
    return undefined;
  }
}

function areReadersWell({ faults, slowestMs, grownBytes }: FuzzReport): boolean {
  return faults.length === 0 && slowestMs < HANG_MS && grownBytes < MOST_GROWN_BYTES;
}

function isDoorWell({ faults, leftDescriptors, grownKb }: DoorReport | GatewayReport): boolean {
  return faults.length === 0 && leftDescriptors === 0 && grownKb < MOST_GROWN_KB;
}

function render(
  readers: FuzzReport,
  door: DoorReport | undefined,
  gateway: GatewayReport | undefined,
): string {
  const lines = [
    `readers: ${readers.inputs} inputs, slowest ${readers.slowestMs.toFixed(1)} ms, heap grown by ${toMb(readers.grownBytes / 1024)}`,
    ...readers.faults.map(
      ({ target, round, what, inputBase64 }) =>
        `  FAULT in ${target}, round ${round}: ${what}\n  ${inputBase64}`,
    ),
  ];
  if (door !== undefined)
    lines.push(
      `door: ${door.connections} connections, ${door.pings} answers between them, ${door.leftDescriptors} descriptors left, grown by ${toMb(door.grownKb)}`,
      ...door.faults.map((fault) => `  FAULT: ${fault}`),
    );
  if (gateway !== undefined)
    lines.push(
      `gateway: ${gateway.inputs} inputs on ${gateway.connections} connections, ${gateway.sockets} of them a page's sockets, ${gateway.pages} pages between them, ${gateway.leftDescriptors} descriptors left, grown by ${toMb(gateway.grownKb)}`,
      ...gateway.faults.map((fault) => `  FAULT: ${fault}`),
    );
  return `${lines.join("\n")}\n`;
}

function toMb(kb: number): string {
  return `${(kb / 1024).toFixed(1)} MB`;
}
