/**
 * How long a person waits: from starting the client's program, with everything said that it asks for, to the desktop's
 * own first drawing on the screen; the same for going on with a session that waits; and from the client's death until
 * the server's record says that the session waits, and until its X session is at rest. Beside X2Go and xrdp in one run: the same image, the same desktop, the
 * same kind of screen, each by its own client, rounds in turn. Ours starts a container first; theirs run already.
 */

import { join } from "node:path";
import { runOk } from "../src/lib/run.ts";
import { sleep } from "../src/lib/wait.ts";
import { type Bench, type BenchIo, type Figure, figure, median, readCounts } from "./bench.ts";
import { type BenchBox, openBenchBox } from "./box.ts";
import { compareBrowsers } from "./browser/compare.ts";
import { SCREEN_SIZE } from "./nx-round.ts";
import { type Colour, openScreen } from "./screen.ts";
import { ourProduct } from "./session/our-product.ts";
import { openPeers, x2goProduct, xrdpProduct } from "./session/peers.ts";
import { dropClient, type Product } from "./session/product.ts";
import { openLook } from "./x11/look.ts";

const ROUNDS = 7;
const MOST_RATIO = 0.9;
const SEEN_MS = 60_000;
/** A desktop goes on starting for a while after its first drawing; nobody leaves at once. */
const STAY_MS = 3_000;

export const sessionBench: Bench = {
  name: "session",
  summary: "sign-in, resume and drop beside X2Go and xrdp; a browser beside TigerVNC with noVNC and xpra",
  needs: [
    "lxc",
    "nxproxy",
    "xvfb",
    "openbox",
    "x11-apps",
    "xserver-xephyr",
    "x11-xserver-utils",
    "pyhoca-cli",
    "freerdp2-x11",
  ],
  run,
};

/** Milliseconds. */
export type Round = {
  readonly signIn: number;
  readonly resume: number;
  readonly drop: number;
  readonly suspend?: number | undefined;
};

/** `sign-in` or `browser` as a word asks for one part alone; a number is how many rounds are played. */
async function run(io: BenchIo): Promise<Figure[]> {
  const words = io.words ?? [];
  const isAll = !words.includes("sign-in") && !words.includes("browser");
  const root = join(import.meta.dir, "..");
  const built = await runOk("building the image", [`${root}/script/build-image`], { timeoutMs: 900_000 });
  const archive = built.trim();
  await using stack = new AsyncDisposableStack();
  const box = stack.adopt(await openBenchBox(io, { instance: "benchses", people: 1 }), (one) => one.close());
  const signIn = isAll || words.includes("sign-in") ? await compareProducts(io, box, archive) : [];
  const browser = isAll || words.includes("browser") ? await compareBrowsers(io, box, archive) : [];
  return [...signIn, ...browser];
}

async function compareProducts(io: BenchIo, box: BenchBox, archive: string): Promise<Figure[]> {
  const [person] = box.people;
  if (person === undefined) throw new Error("the box has nobody");
  io.say("preparing the Debian of X2Go and xrdp");
  const peers = await openPeers(archive);
  try {
    const ours = ourProduct(box, person, join(import.meta.dir, "../dist/qvd"));
    const products = [ours, x2goProduct(peers), xrdpProduct(peers)];
    const rounds = new Map<string, Round[]>(products.map(({ name }) => [name, []]));
    const [most = ROUNDS] = readCounts(io.words ?? [], [ROUNDS]);
    for (let round = 0; round <= most && !io.signal.aborted; round++)
      for (const product of products) {
        const times = await playRound(product, box.colour);
        io.say(`${round === 0 ? "not counted" : `round ${round}`}: ${product.name} ${describe(times)}`);
        // The first fills caches and makes homes.
        if (round > 0) rounds.get(product.name)?.push(times);
      }
    return compareRounds(rounds);
  } finally {
    await peers.close();
  }
}

async function playRound(product: Product, colour: Colour): Promise<Round> {
  await product.endSession();
  const screen = await openScreen(SCREEN_SIZE);
  try {
    const signIn = await timeVisit(product, screen, colour);
    const resume = await timeVisit(product, screen, colour);
    const { pixelMs, dropMs, suspendMs } = signIn;
    return { signIn: pixelMs, drop: dropMs, resume: resume.pixelMs, suspend: suspendMs };
  } finally {
    await screen.close();
  }
}

async function timeVisit(
  product: Product,
  screen: Awaited<ReturnType<typeof openScreen>>,
  colour: Colour,
): Promise<{ readonly pixelMs: number; readonly dropMs: number; readonly suspendMs?: number | undefined }> {
  const look = await openLook(screen.display);
  const start = performance.now();
  const client = product.startClient(screen);
  try {
    while ((await look.readCover(colour)) < 0.2) {
      if (client.exitCode !== null)
        throw new Error(`the client of ${product.name} ended with ${client.exitCode}`);
      if (performance.now() - start > SEEN_MS)
        throw new Error(`${product.name}'s desktop was not seen in a minute`);
      await sleep(5);
    }
    const pixelMs = performance.now() - start;
    await sleep(STAY_MS);
    // The clock starts where the client's process is gone: its size is what the kernel needs milliseconds for, and no
    // person who loses a line waits for that.
    const now = () => performance.now();
    const [left, said, suspended] = await Promise.all([
      dropClient(client).then(now),
      product.waitForLeft().then(now),
      product.waitForSuspended?.().then(now),
    ]);
    const suspendMs = suspended === undefined ? undefined : Math.max(0, suspended - left);
    // What the products do after their word is theirs; a person comes back later than at once.
    await sleep(STAY_MS);
    return { pixelMs, dropMs: Math.max(0, said - left), suspendMs };
  } finally {
    await dropClient(client);
    look.close();
  }
}

/** Ours in each column beside the fastest of the others. */
export function compareRounds(rounds: ReadonlyMap<string, readonly Round[]>): Figure[] {
  const [ours, ...peers] = [...rounds].map(([name, list]) => ({ name, list }));
  if (ours === undefined) return [];
  const columns = [
    ["sign-in → first pixel", ({ signIn }: Round) => signIn],
    ["resume → first pixel", ({ resume }: Round) => resume],
    ["drop → the server says so", ({ drop }: Round) => drop],
    ["drop → X session suspended", ({ suspend }: Round) => suspend ?? Number.NaN],
  ] as const;
  return columns.flatMap(([name, pick]) => {
    const of = (list: readonly Round[]) => median(list.map(pick));
    // xrdp's Xorg goes on as it is: it has nothing to suspend.
    const theirs = peers
      .map((peer) => ({ name: peer.name, ms: of(peer.list) }))
      .filter(({ ms }) => Number.isFinite(ms))
      .sort((a, b) => a.ms - b.ms);
    return theirs.map((peer, place) =>
      figure(name, "ms", {
        ours: of(ours.list),
        beside: peer.name,
        theirs: peer.ms,
        ...(place === 0 ? { goal: { on: "ratio", atMost: MOST_RATIO } } : {}),
      }),
    );
  });
}

function describe({ signIn, resume, drop, suspend = Number.NaN }: Round): string {
  return `${[signIn, resume, drop, suspend].map((ms) => ms.toFixed(0)).join(" / ")} ms`;
}
