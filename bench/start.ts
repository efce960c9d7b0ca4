/**
 * Many desktops at once, each until its nxagent waits for a client: ours through wish, plan and guest agent,
 * beside the same containers put together by hand (`by-hand.ts`) four at a time, and beside LXD with the same
 * image, limits and session. Rounds alternate, and each begins when what the one before left behind is done.
 * The box has started some dozens before, as one at work has; so have the others. The word `no-lxd` leaves LXD out;
 * `timeline` tells one start of both sides step by step, and compares nothing.
 */

import { eq, inArray, sql } from "drizzle-orm";
import { executePrepared, prepared } from "../src/db/prepared.ts";
import { sessions, users, vms } from "../src/db/schema/index.ts";
import type { SessionId, TenantId, UserId, VmId } from "../src/domain/ids.ts";
import { baseFolder } from "../src/domain/node/layout.ts";
import { requestSession } from "../src/service/session/request.ts";
import { type Bench, type BenchIo, type Figure, figure, median, readCounts } from "./bench.ts";
import { type BenchBox, openBenchBox } from "./box.ts";
import { type ByHand, initScript, prepareByHand } from "./by-hand.ts";
import { type Lxd, openLxd } from "./lxd.ts";
import { waitForQuiet } from "./quiet.ts";
import { bringTo } from "./rounds.ts";
import { openTimeline, type Timeline } from "./timeline.ts";

const COUNTS = [1, 10, 50];
const ROUNDS = 5;
/** A box that was just switched on runs code that isn't compiled yet: its first bursts take up to 1.7 times as long. */
const WARM_ROUNDS = 6;
const WARM_COUNT = 10;
/** As many as the box starts at a time. */
const HANDS = 4;
const CLIENT = { keyboard: "pc105/us", os: "linux", link: "adsl", geometry: "1024x768", isFullscreen: false };
const ALL_MS = 300_000;
/** Should the node's word be lost. */
const LOOK_MS = 250;

export const startBench: Bench = {
  name: "start",
  summary: `${COUNTS.join(", ")} containers with session, beside plain lxc-start and LXD with the same image and limits`,
  needs: ["lxc", "lxd", "lxd-client", "btrfs-progs"],
  run,
};

type Sides = { readonly box: BenchBox; readonly hands: readonly ByHand[]; readonly lxd: Lxd | undefined };
type Times = { readonly ours: number[]; readonly byHand: number[]; readonly lxd: number[] };

async function run(io: BenchIo): Promise<Figure[]> {
  const isTimeline = io.words?.includes("timeline") === true;
  const counts = isTimeline ? [1] : readCounts(io.words ?? [], COUNTS);
  const most = Math.max(...counts);
  const box = await openBenchBox(io, { instance: "benchsta", people: most, hasOwnDisk: true });
  const { hand } = box;
  const hands: ByHand[] = [];
  const closers: (() => Promise<void>)[] = [];
  try {
    // The first start unpacks the image, and the others fill the caches: none is counted.
    await ourRound(box, 1);
    for (let number = 1; number <= most; number++) hands.push(await prepareByHand(hand, number));
    const isAlone = isTimeline || io.words?.includes("no-lxd") === true;
    const lxd = isAlone ? undefined : await openPeer(io, box, most);
    if (lxd !== undefined) closers.push(() => lxd.close());
    const sides = { box, hands, lxd };
    return isTimeline ? await tellTimes(io, sides) : await compete(io, sides, counts);
  } finally {
    for (const close of closers) await close();
    for (const one of hands) await one.close();
    await box.close();
  }
}

function openPeer(io: BenchIo, { hand }: BenchBox, containers: number): Promise<Lxd> {
  io.say("creating containers in LXD");
  return openLxd({
    folder: "/var/tmp/qvd-benchlxd",
    base: baseFolder(hand.layout, hand.diId),
    init: initScript(hand.range.gateway),
    bridge: `${hand.instance}br0`,
    ...{ memoryMb: hand.memoryMb, cpus: hand.cpus, containers },
  });
}

async function compete(io: BenchIo, sides: Sides, counts: readonly number[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  const warm = Math.min(WARM_COUNT, Math.max(...counts));
  for (let round = 1; round <= WARM_ROUNDS && !io.signal.aborted; round++) {
    const took = await raceOnce(sides, warm);
    io.say(`${warm} at once, to be warm (not counted), ${round} of ${WARM_ROUNDS}: ${formatTimes(took)}`);
  }
  for (const count of counts) {
    const times: Times = { ours: [], byHand: [], lxd: [] };
    for (let round = 0; round <= ROUNDS && !io.signal.aborted; round++) {
      const took = await raceOnce(sides, count);
      io.say(`${count} at once, round ${round}${round === 0 ? " (not counted)" : ""}: ${formatTimes(took)}`);
      if (round === 0) continue;
      times.ours.push(took.ours);
      times.byHand.push(took.byHand);
      if (took.lxd !== undefined) times.lxd.push(took.lxd);
    }
    figures.push(...compare(count, times));
  }
  return figures;
}

/** One start each, step by step, as the kernel saw it. */
async function tellTimes(io: BenchIo, sides: Sides): Promise<Figure[]> {
  const timeline = openTimeline(sides.box.instance);
  try {
    for (let round = 1; round <= WARM_ROUNDS && !io.signal.aborted; round++) await raceOnce(sides, 1);
    for (let round = 1; round <= ROUNDS && !io.signal.aborted; round++) {
      await ourRound(sides.box, 1, timeline);
      await handRound(sides.hands.slice(0, 1), timeline);
    }
    io.say(timeline.format());
  } finally {
    timeline.close();
  }
  return [];
}

type Took = { readonly ours: number; readonly byHand: number; readonly lxd?: number };

async function raceOnce({ box, hands, lxd }: Sides, count: number): Promise<Took> {
  const ours = await ourRound(box, count);
  const byHand = await handRound(hands.slice(0, count));
  return lxd === undefined ? { ours, byHand } : { ours, byHand, lxd: await lxdRound(lxd, count) };
}

function formatTimes(took: Took): string {
  return Object.entries(took)
    .map(([side, ms]) => `${side} ${ms.toFixed(0)} ms`)
    .join(", ");
}

function compare(count: number, times: Times): Figure[] {
  const ours = median(times.ours);
  const row = (beside: string, theirs: number, atMost: number) =>
    figure(`${count} at once → all sessions wait for their client`, "ms", {
      ...{ ours, beside, theirs },
      goal: { on: "ratio", atMost },
    });
  return [
    row(`lxc-start by hand, ${HANDS} at a time`, median(times.byHand), 1.15),
    ...(times.lxd.length > 0 ? [row("LXD, containers on btrfs in a file", median(times.lxd), 1)] : []),
  ];
}

async function ourRound(box: BenchBox, count: number, timeline?: Timeline): Promise<number> {
  const owners = await readOwners(box, count);
  await waitForQuiet();
  timeline?.begin("ours");
  const startedMs = performance.now();
  const ask = async (owner: Owner) => {
    const sessionId = await askForSession(box, owner);
    box.wake(owner.vmId);
    timeline?.mark("wish is written, node is woken");
    return sessionId;
  };
  await waitUntilListening(box, await Promise.all(owners.map(ask)), startedMs);
  const tookMs = performance.now() - startedMs;
  timeline?.end(tookMs);
  await bringTo(
    box,
    owners.map(({ vmId }) => vmId),
    "stopped",
  );
  return tookMs;
}

const WAITING = prepared(
  ["bigint[]"],
  sql`select id::int as id, state, fault_text as fault from ${sessions} where id = any($1)`,
);
type WaitingRow = { readonly id: number; readonly state: string; readonly fault: string | null };

/** As a broker would: by a statement that the server keeps, at the node's word, and not in between, which the box would feel. */
async function waitUntilListening(
  box: BenchBox,
  asked: readonly SessionId[],
  startedMs: number,
): Promise<void> {
  const left = new Set<number>(asked);
  while (left.size > 0) {
    const word = box.nextWord(LOOK_MS);
    const rows = await executePrepared<WaitingRow>(box.database.orm, WAITING, [[...left]]);
    const failed = rows.find((row) => row.state === "failed");
    if (failed !== undefined) throw new Error(`a session failed: ${failed.fault}`);
    for (const row of rows) if (row.state === "listening") left.delete(row.id);
    if (left.size === 0) return;
    if (performance.now() - startedMs > ALL_MS)
      throw new Error(`of ${asked.length} desktops not all had their session in ${ALL_MS / 1000} s`);
    await word;
  }
}

type Owner = {
  readonly vmId: VmId;
  readonly id: UserId;
  readonly login: string;
  readonly tenantId: TenantId;
};

/** Whom a broker knows since they signed in. */
async function readOwners({ database, people }: BenchBox, count: number): Promise<readonly Owner[]> {
  const vmIds = people.slice(0, count).map((person) => person.vmId);
  const owners = await database.orm
    .select({ vmId: vms.id, id: users.id, login: users.login, tenantId: users.tenantId })
    .from(vms)
    .innerJoin(users, eq(users.id, vms.userId))
    .where(inArray(vms.id, vmIds));
  if (owners.length !== count) throw new Error(`of ${count} desktops ${owners.length} have an owner`);
  return owners;
}

/** As a broker would on behalf of the desktop's owner. */
async function askForSession({ database }: BenchBox, { vmId, ...owner }: Owner): Promise<SessionId> {
  const actor = { kind: "user", userId: owner.id, tenantName: "default", ...owner } as const;
  const asked = await requestSession(
    { db: database.orm, actor },
    { vmId, client: CLIENT, slaveKey: "bench", brokerWorker: "bench" },
  );
  return asked.sessionId;
}

async function handRound(hands: readonly ByHand[], timeline?: Timeline): Promise<number> {
  await waitForQuiet();
  timeline?.begin("by hand");
  const startedMs = performance.now();
  const waiting = [...hands];
  const stops: (() => Promise<void>)[] = [];
  const worker = async () => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift())
      stops.push((await one.start()).stop);
  };
  await Promise.all(Array.from({ length: HANDS }, worker));
  const tookMs = performance.now() - startedMs;
  timeline?.end(tookMs);
  await Promise.all(stops.map((stop) => stop()));
  return tookMs;
}

async function lxdRound(lxd: Lxd, count: number): Promise<number> {
  await waitForQuiet();
  const startedMs = performance.now();
  await lxd.start(count, (log) => log.includes("Waiting for connection"));
  const tookMs = performance.now() - startedMs;
  await lxd.stop(count);
  return tookMs;
}
