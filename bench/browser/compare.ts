/**
 * Desktops in a browser, side by side: ours by its page on the QVD port, TigerVNC's server with noVNC, xpra with its
 * HTML5 client. The same scenes by the same X client, the same Chromium, the same TLS, one server after the other at each
 * size. Peers have an empty screen; ours has the gateway and a whole desktop behind it.
 */

import { type BenchIo, type Figure, figure, median, percentile } from "../bench.ts";
import type { BenchBox } from "../box.ts";
import { type Shown, sitDown, type Typed } from "./measure.ts";
import { ourServer } from "./our-server.ts";
import { giveCertificate, openBrowserPeers, tigervnc, xpra } from "./peers.ts";
import type { BrowserServer, Size } from "./server.ts";

const SIZES: Readonly<Record<string, Size>> = {
  small: { width: 1024, height: 768 },
  large: { width: 1920, height: 1080 },
};
const SHOWN = ["scroll", "drag", "clip"] as const;
const SHOW_SECONDS = 8;
/** The screen is shown once in 17 ms, so that a median of few keys says little. */
const [KEYS, FAR_KEYS] = [200, 60];
/** Each way: 40 ms there and back. */
const FAR_MS = 20;

/** What was seen of one server at one size; only of what was asked for. */
export type Sitting = {
  readonly shown: Readonly<Partial<Record<(typeof SHOWN)[number], Shown>>>;
  readonly typed?: Typed;
  readonly typedFar?: Typed;
};

/**
 * Words leave out the rest: scenes (`scroll`, `drag`, `clip`, `keys`), servers (`ours`, `tigervnc`, `xpra`) and sizes
 * (`small`, `large`), all of a kind where none of it is named. `plain` besides shows what TLS costs TigerVNC's.
 */
export async function compareBrowsers(io: BenchIo, box: BenchBox, archive: string): Promise<Figure[]> {
  const [person] = box.people;
  if (person === undefined) throw new Error("the box has nobody");
  io.say("preparing the Debian of TigerVNC and xpra");
  const peers = await openBrowserPeers(archive);
  const figures: Figure[] = [];
  const pick = <T>(of: Readonly<Record<string, T>>) => pickByWords(of, io.words ?? []);
  const scenes = pick({ scroll: "scroll", drag: "drag", clip: "clip", keys: "keys" });
  try {
    giveCertificate(peers, box.hand.layout);
    for (const size of pick(SIZES)) {
      const sittings = new Map<string, Sitting>();
      const starts = pick({
        ours: () => ourServer(box, person),
        tigervnc: () => tigervnc(peers, size),
        xpra: () => xpra(peers, size),
        ...(io.words?.includes("plain") === true ? { plain: () => tigervnc(peers, size, true) } : {}),
      });
      for (const start of starts) {
        if (io.signal.aborted) return figures;
        const server = await start();
        try {
          sittings.set(server.name, await sitAt(server, size, scenes));
          io.say(`${size.width}x${size.height}: ${server.name} ${JSON.stringify(sittings.get(server.name))}`);
          for (const line of describeCpu(sittings.get(server.name))) io.say(line);
        } finally {
          await server.close();
        }
      }
      figures.push(...compareSittings(sittings, `${size.width}x${size.height}`));
    }
    return figures;
  } finally {
    await peers.close();
  }
}

/** What is named among the words, or all. */
export function pickByWords<T>(of: Readonly<Record<string, T>>, words: readonly string[]): readonly T[] {
  const named = Object.entries(of).filter(([name]) => words.includes(name));
  return (named.length > 0 ? named : Object.entries(of)).map(([, one]) => one);
}

async function sitAt(server: BrowserServer, size: Size, scenes: readonly string[]): Promise<Sitting> {
  const near = await sitDown(server, size, 0);
  const shown: Partial<Record<(typeof SHOWN)[number], Shown>> = {};
  const hasKeys = scenes.includes("keys");
  let typed: Typed | undefined;
  try {
    for (const scene of SHOWN)
      if (scenes.includes(scene)) shown[scene] = await near.show(scene, SHOW_SECONDS);
    if (hasKeys) typed = await near.type(KEYS);
  } finally {
    await near.leave();
  }
  if (typed === undefined) return { shown };
  const far = await sitDown(server, size, FAR_MS);
  try {
    return { shown, typed, typedFar: await far.type(FAR_KEYS) };
  } finally {
    await far.leave();
  }
}

/** Ours beside the best of the others in each figure, whichever that is; what wasn't looked at is left out. */
export function compareSittings(sittings: ReadonlyMap<string, Sitting>, size: string): Figure[] {
  const [ours, ...peers] = [...sittings].map(([name, sitting]) => ({ name, sitting }));
  if (ours === undefined) return [];
  const row = (name: string, unit: string, pick: (sitting: Sitting) => number) => {
    if (!Number.isFinite(pick(ours.sitting))) return [];
    const theirs = peers
      .map((peer) => ({ name: peer.name, value: pick(peer.sitting) }))
      .filter(({ value }) => Number.isFinite(value))
      .sort((a, b) => a.value - b.value);
    return theirs.map((peer, place) =>
      figure(`${size}, ${name}`, unit, {
        ours: pick(ours.sitting),
        beside: peer.name,
        theirs: peer.value,
        ...(place === 0 ? { goal: { on: "ratio", atMost: 1 } } : {}),
      }),
    );
  };
  return [
    ...SHOWN.flatMap((scene) => [
      // As time between frames, so that less is better here as everywhere.
      ...row(`${scene}: time a frame`, "ms", ({ shown }) => aFrame(shown[scene], () => 1000)),
      ...row(`${scene}: sent a frame`, "kB", ({ shown }) => aFrame(shown[scene], (of) => of.kBPerSecond)),
      ...row(`${scene}: server's CPU a frame`, "ms", ({ shown }) =>
        aFrame(shown[scene], (of) => of.processors * 1000),
      ),
    ]),
    ...row("key → paint, p50", "ms", ({ typed }) => median(typed?.delaysMs ?? [])),
    ...row("key → paint, p95", "ms", ({ typed }) => percentile(typed?.delaysMs ?? [], 0.95)),
    ...row("key → paint at 40 ms, p50", "ms", ({ typedFar }) => median(typedFar?.delaysMs ?? [])),
  ];
}

function aFrame(shown: Shown | undefined, pick: (shown: Shown) => number): number {
  return shown === undefined ? Number.NaN : pick(shown) / shown.framesPerSecond;
}

/** Milliseconds a frame of each program. */
function describeCpu(sitting: Sitting | undefined): string[] {
  return SHOWN.flatMap((scene) => {
    const shown = sitting?.shown[scene];
    if (shown === undefined) return [];
    const parts = Object.entries(shown.byProgram).map(
      ([name, processors]) => `${name} ${((processors * 1000) / shown.framesPerSecond).toFixed(2)}`,
    );
    return [`  CPU of ${scene}, ms a frame: ${parts.join(", ")}`];
  });
}
