/**
 * From nothing to the first pixel: a person connects to a stopped desktop, beside the same container and the
 * same nxagent put together by hand (`by-hand.ts`). The same base tree, limits, session and screen; rounds
 * alternate. By hand there is no broker, no database and no plan: that is what the ratio prices.
 */

import { type Bench, type BenchIo, type Figure, figure, median } from "./bench.ts";
import { type BenchBox, openBenchBox } from "./box.ts";
import { type ByHand, prepareByHand } from "./by-hand.ts";
import { showDesktop, visitDesktop } from "./nx-round.ts";
import { bringTo } from "./rounds.ts";
import { openScreen, type Screen } from "./screen.ts";

const ROUNDS = 7;
const MOST_RATIO = 1.15;
const BESIDE = "lxc-start and nxagent by hand, nxproxy to it";

export const coldBench: Bench = {
  name: "cold",
  summary: "cold connect → 101 → first pixel, beside the same container and nxagent started by hand",
  needs: ["lxc", "nxproxy", "xvfb", "openbox", "x11-apps"],
  run,
};

type Timing = { readonly ready: number; readonly pixel: number };

async function run(io: BenchIo): Promise<Figure[]> {
  const box = await openBenchBox(io, { instance: "benchcol", people: 1 });
  const screen = await openScreen();
  let hand: ByHand | undefined;
  try {
    // The first round of each unpacks the image, fills the page cache and makes the home: it isn't counted.
    await ourRound(box, screen);
    hand = await prepareByHand(box.hand);
    await handRound(hand, screen, box);
    const ours: Timing[] = [];
    const theirs: Timing[] = [];
    for (let round = 1; round <= ROUNDS && !io.signal.aborted; round++) {
      ours.push(await ourRound(box, screen));
      theirs.push(await handRound(hand, screen, box));
      io.say(`round ${round}: ours ${describe(ours)}; by hand ${describe(theirs)}`);
    }
    return compare(ours, theirs);
  } finally {
    await hand?.close();
    await screen.close();
    await box.close();
  }
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
  return [
    row("cold connect → first pixel", ({ pixel }) => pixel, MOST_RATIO),
    row("cold connect → 101; by hand: nxagent listens", ({ ready }) => ready),
    row("101 → first pixel", ({ ready, pixel }) => pixel - ready),
  ];
}

async function ourRound(box: BenchBox, screen: Screen): Promise<Timing> {
  const person = box.people[0];
  if (person === undefined) throw new Error("the box has nobody");
  await bringTo(box, [person.vmId], "stopped");
  const { at, leave } = await visitDesktop(screen, { ...box.broker, ...person }, box.colour);
  await leave();
  await bringTo(box, [person.vmId], "stopped");
  return { ready: at.switched - at.asked, pixel: at.pixel - at.asked };
}

async function handRound(hand: ByHand, screen: Screen, box: BenchBox): Promise<Timing> {
  const start = performance.now();
  const desktop = await hand.start();
  try {
    const shown = await showDesktop(screen, { host: desktop.address, display: 100 }, box.colour);
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
