/**
 * What a box costs while nobody does anything: CPU of node, brokers, auth and admin over a minute, with five
 * desktops running and twenty stopped. Children that they wait for (tools of the system) are counted in.
 */

import { sleep } from "../src/lib/wait.ts";
import { type Bench, type BenchIo, type Figure, figure } from "./bench.ts";
import { type BoxProcess, openBenchBox } from "./box.ts";
import { readCpuSeconds } from "./processes.ts";
import { bringTo } from "./rounds.ts";

const STOPPED = 20;
const RUNNING = 5;
const SETTLE_MS = 20_000;
const MEASURE_MS = 60_000;
const MOST_PERCENT = 1;

export const idleBench: Bench = {
  name: "idle",
  summary: `CPU of node, brokers, auth and admin with ${STOPPED} stopped and ${RUNNING} running desktops`,
  needs: [],
  run,
};

async function run(io: BenchIo): Promise<Figure[]> {
  const box = await openBenchBox(io, { instance: "benchidl", people: STOPPED + RUNNING });
  try {
    const running = box.people.slice(0, RUNNING).map((person) => person.vmId);
    await bringTo(box, running, "running");
    io.say(`${RUNNING} desktops run; waiting ${SETTLE_MS / 1000} s for quiet, then measuring for a minute`);
    await sleep(SETTLE_MS, io.signal);
    const processes = box.listProcesses();
    const before = new Map(processes.map(({ pid }) => [pid, readSeconds(pid) ?? 0]));
    const start = performance.now();
    await sleep(MEASURE_MS, io.signal);
    const seconds = (performance.now() - start) / 1000;
    // Read once for all figures: they are parts of one sum.
    const after = new Map(processes.map(({ pid }) => [pid, readSeconds(pid) ?? before.get(pid) ?? 0]));
    const percent = (kinds: readonly BoxProcess["kind"][]) => {
      const chosen = processes.filter(({ kind }) => kinds.includes(kind));
      const used = chosen.reduce((sum, { pid }) => sum + (after.get(pid) ?? 0) - (before.get(pid) ?? 0), 0);
      return (100 * used) / seconds;
    };
    return [
      figure("idle CPU of node, brokers, auth and admin", "% of a core", {
        ours: percent(["node", "broker", "auth", "admin"]),
        goal: { on: "ours", atMost: MOST_PERCENT },
      }),
      ...(["node", "broker", "auth", "admin", "database"] as const).map((kind) =>
        figure(`of it ${kind}`.replace("of it database", "besides: the embedded database"), "% of a core", {
          ours: percent([kind]),
        }),
      ),
    ];
  } finally {
    await box.close();
  }
}

/** Undefined when it has ended, as the database's own helpers do every now and then. */
function readSeconds(pid: number): number | undefined {
  try {
    return readCpuSeconds(pid);
  } catch {
    return undefined;
  }
}
