/**
 * From nothing to the first pixel: a person connects to a stopped desktop, beside the same container and the
 * same nxagent put together by hand (`by-hand.ts`). The same base tree, limits, session and screen; rounds
 * alternate. By hand there is no broker, no database and no plan: that is what the ratio prices.
 */

import type { VmEventCode } from "../src/domain/vm/event.ts";
import { NX_PORT } from "../src/wire/guest/messages.ts";
import { type Bench, type BenchIo, type Figure, figure, median } from "./bench.ts";
import { type ByHand, prepareByHand } from "./by-hand.ts";
import { onStage, STAGE_NEEDS, type Stage } from "./desktop-stage.ts";
import { showDirectly } from "./nx-round.ts";
import { bringTo, readTrailTimes } from "./rounds.ts";

const ROUNDS = 11;
const MOST_RATIO = 1.15;
const BESIDE = "lxc-start and nxagent by hand, nxproxy to it";

export const coldBench: Bench = {
  name: "cold",
  summary: "cold connect → 101 → first pixel, beside the same container and nxagent started by hand",
  needs: ["lxc", ...STAGE_NEEDS],
  run,
};

/** From the request for the desktop, or from the first command by hand; milliseconds. */
type Timing = { readonly ready: number; readonly pixel: number };

/** What the trail tells of our way to the 101, each from the one before. */
const STAGES = [
  ["session-requested", "start-taken", "the order is taken"],
  ["start-taken", "disks-ready", "the disks are ready"],
  ["disks-ready", "container-started", "the container is started"],
  ["container-started", "agent-connected", "its agent is there"],
  ["agent-connected", "session-preparing", "the session's order is given"],
  ["session-preparing", "session-listening", "account made, nxagent listens"],
] as const satisfies readonly (readonly [VmEventCode, VmEventCode, string])[];

const CODES: readonly VmEventCode[] = ["session-requested", ...STAGES.map(([, to]) => to)];

type Trail = ReadonlyMap<string, number>;

async function run(io: BenchIo): Promise<Figure[]> {
  return onStage(io, "benchcld", async (stage) => {
    // The first round of each unpacks the image, fills the page cache and makes the home: it isn't counted.
    await ourRound(stage);
    const hand = await prepareByHand(stage.box.hand);
    try {
      await handRound(hand, stage);
      return await compete(io, stage, hand);
    } finally {
      await hand.close();
    }
  });
}

async function compete(io: BenchIo, stage: Stage, hand: ByHand): Promise<Figure[]> {
  const ours: Timing[] = [];
  const trails: Trail[] = [];
  const theirs: Timing[] = [];
  for (let round = 1; round <= ROUNDS && !io.signal.aborted; round++) {
    const { timing, trail } = await ourRound(stage);
    ours.push(timing);
    trails.push(trail);
    theirs.push(await handRound(hand, stage));
    io.say(`round ${round}: ours ${describe(ours)}; by hand ${describe(theirs)}`);
  }
  return [...compare(ours, theirs), ...describeStages(trails)];
}

function compare(ours: readonly Timing[], theirs: readonly Timing[]): Figure[] {
  const of = (timings: readonly Timing[], pick: (timing: Timing) => number) => median(timings.map(pick));
  const row = (name: string, pick: (timing: Timing) => number, atMost?: number) =>
    figure(name, "ms", {
      ours: of(ours, pick),
      beside: BESIDE,
      theirs: of(theirs, pick),
      ...(atMost === undefined ? {} : { goal: { on: "ratio", atMost } }),
    });
  const least = (name: string, pick: (timing: Timing) => number) =>
    figure(name, "ms", {
      ours: Math.min(...ours.map(pick)),
      beside: BESIDE,
      theirs: Math.min(...theirs.map(pick)),
    });
  return [
    row("cold connect → first pixel", ({ pixel }) => pixel, MOST_RATIO),
    least("the same, quickest round", ({ pixel }) => pixel),
    row("cold connect → 101; by hand: nxagent listens", ({ ready }) => ready),
    row("101 → first pixel", ({ ready, pixel }) => pixel - ready),
  ];
}

function describeStages(trails: readonly Trail[]): Figure[] {
  return STAGES.map(([from, to, name]) => {
    const took = trails.map((trail) => (trail.get(to) ?? Number.NaN) - (trail.get(from) ?? Number.NaN));
    return figure(`of ours until the 101: ${name}`, "ms", { ours: median(took) });
  });
}

async function ourRound({ box, person, visit }: Stage): Promise<{ timing: Timing; trail: Trail }> {
  await bringTo(box, [person.vmId], "stopped");
  const { at, leave } = await visit();
  await leave();
  const trail = await readTrailTimes(box, person.vmId, CODES);
  await bringTo(box, [person.vmId], "stopped");
  return { timing: { ready: at.switched - at.asked, pixel: at.pixel - at.asked }, trail };
}

async function handRound(hand: ByHand, { box, screen }: Stage): Promise<Timing> {
  const start = performance.now();
  const desktop = await hand.start();
  try {
    const shown = await showDirectly(screen, { address: desktop.address, port: NX_PORT }, box.colour);
    await shown.close();
    return { ready: desktop.listeningAt - start, pixel: shown.pixelAt - start };
  } finally {
    await desktop.stop();
  }
}

function describe(timings: readonly Timing[]): string {
  const last = timings.at(-1);
  return `${last?.ready.toFixed(0)} / ${last?.pixel.toFixed(0)} ms`;
}
