/**
 * How long people wait when a box is lost: from its end until the last of its desktops answers on another one.
 * Two boxes in namespaces with one database and one shared folder; in turns each loses its power (nothing more
 * leaves it) or has everything killed (its connections close). Then, with `--quiet-minutes N`, how often a box
 * is taken for lost that isn't: under load, with a slow database, with packets that get lost.
 */

import { join } from "node:path";
import type { VmId } from "../src/domain/ids.ts";
import { sleep, waitFor } from "../src/lib/wait.ts";
import type { LabNode } from "../test/support/lab-node.ts";
import { ManyNodes } from "../test/support/many-nodes.ts";
import { type Bench, type BenchIo, type Figure, figure, percentile } from "./bench.ts";
import { keepQuiet } from "./failover-quiet.ts";

const DESKTOPS = 20;
const ROUNDS = 20;
const QUIET_MINUTES = 5;
const SERVED_MS = 120_000;
const GOAL = { p50: 15, p99: 25 };

export const failoverBench: Bench = {
  name: "failover",
  summary: `a box with ${DESKTOPS} desktops is lost until the last of them answers on another (--rounds N, --quiet-minutes N)`,
  needs: ["bindfs"],
  run,
};

type Way = "power loss" | "SIGKILL";

async function run(io: BenchIo): Promise<Figure[]> {
  const rounds = readNumber(io, "--rounds", ROUNDS);
  const quietMinutes = readNumber(io, "--quiet-minutes", QUIET_MINUTES);
  const lab = await ManyNodes.create({
    ...{ lab: "flb", network: "10.98.9", nodes: 2 },
    executable: join(import.meta.dir, "../dist/qvd"),
  });
  try {
    io.say(`2 boxes are up; ${DESKTOPS} desktops start`);
    await lab.addDesktops(DESKTOPS);
    await waitUntilServed(lab, lab.desktops, undefined);
    // Brings all of them to one box.
    await failOver(lab, "power loss");
    const seconds: { readonly way: Way; readonly seconds: number }[] = [];
    for (let round = 1; round <= rounds && !io.signal.aborted; round++) {
      const way = round % 2 === 0 ? "SIGKILL" : "power loss";
      const took = await failOver(lab, way);
      seconds.push({ way, seconds: took });
      io.say(`round ${round}, ${way}: ${took.toFixed(2)} s`);
    }
    const quiet = await keepQuiet(lab, { minutes: quietMinutes, say: io.say, signal: io.signal });
    return describe(seconds, { ...quiet, minutes: quietMinutes });
  } finally {
    await lab.dispose();
  }
}

/** Ends the box with the most desktops; seconds until all of its desktops answer elsewhere. It comes back after. */
async function failOver(lab: ManyNodes, way: Way): Promise<number> {
  const ofNode = (node: LabNode) => lab.desktops.filter((vmId) => lab.findDesktop(vmId)[0]?.node === node);
  const [victim] = lab.nodes.toSorted((one, other) => ofNode(other).length - ofNode(one).length);
  if (victim === undefined) throw new Error("there is no box");
  const lost = ofNode(victim);
  // So that the end falls anywhere between two renewals.
  await sleep(Math.random() * 3_000);
  const beginMs = performance.now();
  if (way === "power loss") await lab.cutDatabase(victim, true);
  await victim.powerOff();
  await waitUntilServed(lab, lost, victim);
  const seconds = (performance.now() - beginMs) / 1000;
  if (way === "power loss") await lab.cutDatabase(victim, false);
  await victim.start();
  await lab.waitForNodes();
  return seconds;
}

async function waitUntilServed(
  lab: ManyNodes,
  vmIds: readonly VmId[],
  notOn: LabNode | undefined,
): Promise<void> {
  const isServed = async () => {
    const isHere = (vmId: VmId) => lab.findDesktop(vmId).some(({ node }) => node !== notOn);
    if (!vmIds.every(isHere)) return false;
    const running = new Set(await lab.listRunning());
    return vmIds.every((vmId) => running.has(vmId) && lab.listAcknowledged(vmId).length > 0);
  };
  if (!(await waitFor(isServed, { timeoutMs: SERVED_MS, everyMs: 50 })))
    throw new Error("not every desktop answers again");
}

function describe(
  rounds: readonly { readonly way: Way; readonly seconds: number }[],
  quiet: { readonly falseFailovers: number; readonly minutes: number },
): Figure[] {
  const of = (way?: Way) =>
    rounds.filter((one) => way === undefined || one.way === way).map((one) => one.seconds);
  const goal = (atMost: number) => ({ on: "ours", atMost }) as const;
  return [
    figure(`failover of ${DESKTOPS} desktops, p50 of ${rounds.length}`, "s", {
      ours: percentile(of(), 0.5),
      goal: goal(GOAL.p50),
    }),
    figure("failover, p99", "s", { ours: percentile(of(), 0.99), goal: goal(GOAL.p99) }),
    ...(["power loss", "SIGKILL"] as const)
      .filter((way) => of(way).length > 0)
      .map((way) => figure(`after ${way}, p50`, "s", { ours: percentile(of(way), 0.5) })),
    figure(`false failovers in ${quiet.minutes} minutes of trouble`, "", {
      ours: quiet.falseFailovers,
      goal: goal(0),
    }),
  ];
}

function readNumber(io: BenchIo, name: string, fallback: number): number {
  const { words = [] } = io;
  const at = words.indexOf(name);
  const value = at < 0 ? fallback : Number(words[at + 1]);
  if (!Number.isFinite(value) || value < 0) throw new Error(`${name} must be a number`);
  return value;
}
