/** What is seen of one server at one size in one round, and what several rounds come to. */

import { median, percentile } from "../bench.ts";
import { waitForQuiet } from "../quiet.ts";
import { type Shown, sitDown, type Typed } from "./measure.ts";
import type { BrowserServer, Size } from "./server.ts";

export const SHOWN = ["scroll", "drag", "clip"] as const;
const SHOW_SECONDS = 8;
/** Not counted: programs that have just started fault their pages in, compile and are looked after. */
const WARM_SECONDS = 3;
/** The screen is shown once in 17 ms, so that a median of few keys says little. */
const KEYS = 200;
/** Each way: 40 ms there and back. */
const FAR_MS = 20;

/** Only of what was asked for. */
export type Sitting = {
  readonly shown: Readonly<Partial<Record<(typeof SHOWN)[number], Shown>>>;
  readonly typed?: Typed;
  readonly typedFar?: Typed;
};

/** Each scene is played twice, and counted the second time. */
export async function sitAt(server: BrowserServer, size: Size, scenes: readonly string[]): Promise<Sitting> {
  await waitForQuiet();
  const near = await sitDown(server, size, 0);
  const shown: Partial<Record<(typeof SHOWN)[number], Shown>> = {};
  let typed: Typed | undefined;
  try {
    const wanted = SHOWN.filter((scene) => scenes.includes(scene));
    for (const scene of wanted) await near.show(scene, WARM_SECONDS);
    for (const scene of wanted) shown[scene] = await near.show(scene, SHOW_SECONDS);
    if (scenes.includes("keys")) typed = await near.type(KEYS);
  } finally {
    await near.leave();
  }
  if (typed === undefined) return { shown };
  const far = await sitDown(server, size, FAR_MS);
  try {
    return { shown, typed, typedFar: await far.type(KEYS) };
  } finally {
    await far.leave();
  }
}

/** Medians of what was shown; keys of all rounds together. */
export function joinSittings(sittings: readonly Sitting[]): Sitting {
  const shown = Object.fromEntries(
    SHOWN.flatMap((scene) => {
      const list = sittings.flatMap((one) => one.shown[scene] ?? []);
      return list.length === 0 ? [] : [[scene, joinShown(list)]];
    }),
  );
  const [typed, typedFar] = (["typed", "typedFar"] as const).map((keys) =>
    joinTyped(sittings.flatMap((one) => one[keys] ?? [])),
  );
  return { shown, ...(typed && { typed }), ...(typedFar && { typedFar }) };
}

function joinShown(list: readonly Shown[]): Shown {
  const middle = (pick: (one: Shown) => number) => median(list.map(pick));
  const programs = new Set(list.flatMap(({ byProgram }) => Object.keys(byProgram)));
  return {
    framesPerSecond: middle((one) => one.framesPerSecond),
    kBPerSecond: middle((one) => one.kBPerSecond),
    processors: middle((one) => one.processors),
    byProgram: Object.fromEntries(
      [...programs].map((name) => [name, middle(({ byProgram }) => byProgram[name] ?? 0)]),
    ),
  };
}

function joinTyped(list: readonly Typed[]): Typed | undefined {
  if (list.length === 0) return undefined;
  return {
    delaysMs: list.flatMap(({ delaysMs }) => delaysMs),
    lost: list.reduce((sum, { lost }) => sum + lost, 0),
  };
}

/** A line for each scene: pictures a second, kB and milliseconds of processor a picture, of all and of each program. */
export function describeSitting({ shown, typed, typedFar }: Sitting): string[] {
  const scenes = SHOWN.flatMap((scene) => {
    const one = shown[scene];
    if (one === undefined) return [];
    const { framesPerSecond: frames, kBPerSecond, processors, byProgram } = one;
    const ms = (of: number) => ((of * 1000) / frames).toFixed(2);
    const parts = Object.entries(byProgram).map(([name, of]) => `${name} ${ms(of)}`);
    const kB = (kBPerSecond / frames).toFixed(2);
    return [`  ${scene}: ${frames.toFixed(1)}/s, ${kB} kB, ${ms(processors)} ms: ${parts.join(", ")}`];
  });
  return [...scenes, ...describeTyped("keys", typed), ...describeTyped("keys at 40 ms", typedFar)];
}

function describeTyped(what: string, typed: Typed | undefined): string[] {
  if (typed === undefined) return [];
  const { delaysMs, lost } = typed;
  const [p50, p95] = [median(delaysMs).toFixed(1), percentile(delaysMs, 0.95).toFixed(1)];
  return [`  ${what}: p50 ${p50}, p95 ${p95} ms of ${delaysMs.length}, ${lost} lost`];
}
