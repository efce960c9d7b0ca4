/**
 * Desktops in a browser, side by side: ours by its page on the QVD port, TigerVNC's server with noVNC, xpra with its
 * HTML5 client. The same scenes by the same X client over the same desktop, the same Chromium, the same TLS and as many relays
 * between, one server after the other, in rounds; medians are compared. Ours has the gateway and a whole box behind it.
 */

import { type BenchIo, type Figure, figure, median, percentile, readCounts } from "../bench.ts";
import type { BenchBox } from "../box.ts";
import { bringTo } from "../rounds.ts";
import type { Shown } from "./measure.ts";
import { ourServer } from "./our-server.ts";
import { giveCertificate, giveDesktop, openBrowserPeers, tigervnc, xpra } from "./peers.ts";
import type { BrowserServer, Size } from "./server.ts";
import { describeSitting, joinSittings, SHOWN, type Sitting, sitAt } from "./sitting.ts";

const SIZES: Readonly<Record<string, Size>> = {
  small: { width: 1024, height: 768 },
  large: { width: 1920, height: 1080 },
};
const ROUNDS = 3;

/**
 * Words leave out the rest: scenes (`scroll`, `drag`, `clip`, `keys`), servers (`ours`, `tigervnc`, `xpra`) and sizes
 * (`small`, `large`), all of a kind where none of it is named; a number is how many rounds there are. `plain` besides shows
 * what TLS costs TigerVNC's.
 */
export async function compareBrowsers(io: BenchIo, box: BenchBox, archive: string): Promise<Figure[]> {
  const [person] = box.people;
  if (person === undefined) throw new Error("the box has nobody");
  const words = io.words ?? [];
  io.say("preparing the Debian of TigerVNC and xpra");
  const peers = await openBrowserPeers(archive);
  const pick = <T>(of: Readonly<Record<string, T>>) => pickByWords(of, words);
  const figures: Figure[] = [];
  try {
    giveCertificate(peers, box.hand.layout);
    giveDesktop(peers);
    // A session begun by an NX client stays on nxagent, which the browser is then shown by a painter: another way.
    await bringTo(box, [person.vmId], "stopped");
    for (const size of pick(SIZES)) {
      const starts = pick({
        ours: () => ourServer(box, person),
        tigervnc: () => tigervnc(peers, size),
        xpra: () => xpra(peers, size),
        ...(words.includes("plain") ? { plain: () => tigervnc(peers, size, true) } : {}),
      });
      const sittings = await playRounds(io, size, starts);
      figures.push(...compareSittings(sittings, nameOf(size)));
    }
    return figures;
  } finally {
    await peers.close();
  }
}

/** Keys are typed in the first round alone, as there are many of them; in each where they are all that was asked for. */
async function playRounds(
  io: BenchIo,
  size: Size,
  starts: readonly (() => Promise<BrowserServer>)[],
): Promise<ReadonlyMap<string, Sitting>> {
  const scenes = pickByWords(Object.fromEntries([...SHOWN, "keys"].map((one) => [one, one])), io.words ?? []);
  const [most = ROUNDS] = readCounts(io.words ?? [], [ROUNDS]);
  const seen = new Map<string, Sitting[]>();
  for (let round = 1; round <= most; round++)
    for (const start of starts) {
      if (io.signal.aborted) break;
      const server = await start();
      try {
        const sitting = await sitAt(
          server,
          size,
          round === 1 || scenes.length === 1 ? scenes : scenes.filter((one) => one !== "keys"),
        );
        seen.set(server.name, [...(seen.get(server.name) ?? []), sitting]);
        io.say(`${nameOf(size)}, round ${round}: ${server.name}`);
        for (const line of describeSitting(sitting)) io.say(line);
      } finally {
        await server.close();
      }
    }
  const joined = new Map([...seen].map(([name, list]) => [name, joinSittings(list)]));
  for (const [name, sitting] of joined)
    io.say([`${nameOf(size)}, all rounds: ${name}`, ...describeSitting(sitting)].join("\n"));
  return joined;
}

function nameOf({ width, height }: Size): string {
  return `${width}x${height}`;
}

/** What is named among the words, or all. */
export function pickByWords<T>(of: Readonly<Record<string, T>>, words: readonly string[]): readonly T[] {
  const named = Object.entries(of).filter(([name]) => words.includes(name));
  return (named.length > 0 ? named : Object.entries(of)).map(([, one]) => one);
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
