/**
 * Desktops in a browser, side by side: ours by its page on the QVD port, TigerVNC's server with noVNC, xpra with its
 * HTML5 client. The same scenes by the same X client, the same Chromium, one server after the other at each size. Peers
 * speak plain HTTP and have an empty screen; ours has TLS, the gateway and a whole desktop behind it.
 */

import { type BenchIo, type Figure, figure, median, percentile } from "../bench.ts";
import type { BenchBox } from "../box.ts";
import { type Shown, sitDown, type Typed } from "./measure.ts";
import { ourServer } from "./our-server.ts";
import { openBrowserPeers, tigervnc, xpra } from "./peers.ts";
import type { BrowserServer, Size } from "./server.ts";

const SIZES: readonly Size[] = [
  { width: 1024, height: 768 },
  { width: 1920, height: 1080 },
];
const SHOWN = ["scroll", "drag", "clip"] as const;
const SHOW_SECONDS = 8;
const KEYS = 40;
/** Each way: 40 ms there and back. */
const FAR_MS = 20;

/** What was seen of one server at one size. */
export type Sitting = {
  readonly shown: Readonly<Record<(typeof SHOWN)[number], Shown>>;
  readonly typed: Typed;
  readonly typedFar: Typed;
};

/** The words `ours` and `small` leave out the peers and the larger screen. */
export async function compareBrowsers(io: BenchIo, box: BenchBox, archive: string): Promise<Figure[]> {
  const [person] = box.people;
  if (person === undefined) throw new Error("the box has nobody");
  io.say("preparing the Debian of TigerVNC and xpra");
  const peers = await openBrowserPeers(archive);
  const figures: Figure[] = [];
  const hasWord = (word: string) => io.words?.includes(word) ?? false;
  try {
    for (const size of hasWord("small") ? SIZES.slice(0, 1) : SIZES) {
      const sittings = new Map<string, Sitting>();
      const starts = [() => ourServer(box, person), () => tigervnc(peers, size), () => xpra(peers, size)];
      for (const start of hasWord("ours") ? starts.slice(0, 1) : starts) {
        if (io.signal.aborted) return figures;
        const server = await start();
        try {
          sittings.set(server.name, await sitAt(server, size));
          io.say(`${size.width}x${size.height}: ${server.name} ${JSON.stringify(sittings.get(server.name))}`);
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

async function sitAt(server: BrowserServer, size: Size): Promise<Sitting> {
  const near = await sitDown(server, size, 0);
  const { shown, typed } = await (async () => {
    try {
      const [scroll, drag, clip] = [
        await near.show("scroll", SHOW_SECONDS),
        await near.show("drag", SHOW_SECONDS),
        await near.show("clip", SHOW_SECONDS),
      ];
      return { shown: { scroll, drag, clip }, typed: await near.type(KEYS) };
    } finally {
      await near.leave();
    }
  })();
  const far = await sitDown(server, size, FAR_MS);
  try {
    return { shown, typed, typedFar: await far.type(KEYS) };
  } finally {
    await far.leave();
  }
}

/** Ours beside the best of the others in each figure, whichever that is. */
export function compareSittings(sittings: ReadonlyMap<string, Sitting>, size: string): Figure[] {
  const [ours, ...peers] = [...sittings].map(([name, sitting]) => ({ name, sitting }));
  if (ours === undefined) return [];
  const row = (name: string, unit: string, pick: (sitting: Sitting) => number) => {
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
      ...row(`${scene}: time a frame`, "ms", ({ shown }) => 1000 / shown[scene].framesPerSecond),
      ...row(
        `${scene}: sent a frame`,
        "kB",
        ({ shown }) => shown[scene].kBPerSecond / shown[scene].framesPerSecond,
      ),
      ...row(
        `${scene}: server's CPU a frame`,
        "ms",
        ({ shown }) => (shown[scene].processors * 1000) / shown[scene].framesPerSecond,
      ),
    ]),
    ...row("key → paint, p50", "ms", ({ typed }) => median(typed.delaysMs)),
    ...row("key → paint, p95", "ms", ({ typed }) => percentile(typed.delaysMs, 0.95)),
    ...row("key → paint at 40 ms, p50", "ms", ({ typedFar }) => median(typedFar.delaysMs)),
  ];
}
