/**
 * How much a front door carries: ten thousand idle sessions and two hundred people at work over three workers, and
 * what the people at work notice when a thousand others sign in at once. The brokers are whole but for their database,
 * which is tables in memory; auth is the product's, over PostgreSQL.
 *
 *     script/bench capacity [IDLE AT_WORK STORM]   fewer, on a small machine
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthClient } from "../src/auth/client.ts";
import { silentLog } from "../src/lib/log.ts";
import { sleep } from "../src/lib/wait.ts";
import { SEED_PASSWORD } from "../test/support/db-seed.ts";
import { type Bench, type BenchIo, type Figure, figure } from "./bench.ts";
import { type Load, openStage, type RunningRelay, type Stage } from "./broker/stage.ts";
import { readCpuSeconds } from "./processes.ts";

const WORKERS = 3;
const SIZE: Size = { idle: 10_000, atWork: 200, storm: 1_000 };
const QUIET_SECONDS = 10;
const STORM_MS = 240_000;
/** What is measured goes before everything else on the machine; auth stands back behind the brokers as in the product. */
const AS_NICE = ["nice", "-n", "-2"];

export const capacityBench: Bench = {
  name: "capacity",
  summary: `${SIZE.idle} idle sessions, ${SIZE.atWork} at work and a storm of ${SIZE.storm} sign-ins over ${WORKERS} workers`,
  needs: ["gcc", "libc6-dev", "libssl-dev", "openssl", "util-linux"],
  run,
};

type Size = { readonly idle: number; readonly atWork: number; readonly storm: number };

type Worker = { readonly stage: Stage; readonly relay: RunningRelay };
type Times = { readonly p50: number; readonly p99: number };

/** The three words in their order, or the size that is published. */
function readSize(words: readonly string[]): Size {
  const counts = words.map(Number).filter((count) => Number.isInteger(count) && count > 0);
  const [idle = SIZE.idle, atWork = SIZE.atWork, storm = SIZE.storm] = counts;
  return { idle, atWork, storm };
}

async function run(io: BenchIo): Promise<Figure[]> {
  const size = readSize(io.words ?? []);
  const folder = mkdtempSync(join(tmpdir(), "qvd-capacity-"));
  const socket = `${folder}/auth`;
  const auth = Bun.spawn(
    [
      ...AS_NICE,
      process.execPath,
      join(import.meta.dir, "capacity/auth-process.ts"),
      socket,
      `${size.storm}`,
    ],
    { stdin: "ignore", stdout: "pipe", stderr: "inherit" },
  );
  const workers: Worker[] = [];
  const idle: Load[] = [];
  try {
    await auth.stdout.getReader().read();
    for (let number = 1; number <= WORKERS; number++) {
      const stage = await openStage();
      workers.push({ stage, relay: await stage.startRelay("broker", socket) });
    }
    io.say("quiet");
    const quiet = await measureWork(workers, size);
    io.say(`${size.idle} idle sessions`);
    const before = sumResidentKb(workers);
    for (const { stage, relay } of workers) {
      const load = stage.startLoad(relay, "idle", { streams: Math.ceil(size.idle / WORKERS), seconds: 0 });
      idle.push(load);
      await load.line();
    }
    await sleep(5_000);
    const sessionKb = (sumResidentKb(workers) - before) / size.idle;
    const full = await measureWork(workers, size);
    io.say(`${size.storm} passwords, one after the other`);
    const cost = await measureHash(size.storm, { path: socket, pid: auth.pid });
    io.say(`${size.storm} people sign in`);
    const { during, seconds, busy, lost, broken } = await measureStorm(workers, size);
    return [
      figure("memory of an idle session", "kB", { ours: sessionKb, goal: { on: "ours", atMost: 12 } }),
      ...timesOf("round trip, 200 at work", quiet),
      ...timesOf(`round trip beside ${size.idle} idle sessions`, full, quiet),
      ...timesOf(`round trip in a storm of ${size.storm} sign-ins`, during, quiet),
      figure("sign-ins a second and core, by argon2id", "/s", { ours: 1 / cost }),
      figure(`time until all ${size.storm} are in`, "s", { ours: seconds }),
      figure("answers that told somebody to come again", "", { ours: busy }),
      figure("tries that had no answer", "", { ours: broken }),
      figure("people who never got in", "", { ours: lost, goal: { on: "ours", atMost: 0 } }),
    ];
  } finally {
    for (const load of idle) await load.end();
    for (const { stage, relay } of workers) {
      await relay.stop();
      await stage.close();
    }
    auth.kill("SIGTERM");
    await auth.exited;
    rmSync(folder, { recursive: true });
  }
}

function timesOf(name: string, times: Times, beside?: Times): Figure[] {
  return (["p50", "p99"] as const).map((key) =>
    figure(`${name}, ${key}`, "µs", {
      ours: times[key],
      ...(beside === undefined ? {} : { beside: "quiet", theirs: beside[key] }),
    }),
  );
}

/** The worst worker's, so that none hides behind another. */
async function measureWork(
  workers: readonly Worker[],
  { atWork }: Size,
  seconds = QUIET_SECONDS,
): Promise<Times> {
  const streams = Math.ceil(atWork / WORKERS);
  const loads = workers.map(({ stage, relay }) => stage.startLoad(relay, "work", { streams, seconds }));
  try {
    for (const load of loads) await load.line();
    const ends = await Promise.all(loads.map((load) => load.line()));
    return {
      p50: Math.max(...ends.map(([, p50]) => Number(p50))),
      p99: Math.max(...ends.map(([, , p99]) => Number(p99))),
    };
  } finally {
    for (const load of loads) await load.end();
  }
}

/** People at work while all others sign in; those who are told to come again may be longer at it than they are watched. */
async function measureStorm(workers: readonly Worker[], size: Size) {
  const [first] = workers;
  if (first === undefined) throw new Error("a storm needs a worker");
  const script = join(import.meta.dir, "capacity/storm.ts");
  const storm = first.stage.startBeside([process.execPath, script, `${first.relay.port}`, `${size.storm}`]);
  try {
    const during = await measureWork(workers, size, QUIET_SECONDS * 2);
    const [, seconds, busy, lost, broken] = (await Promise.race([storm.line(), failAfter(STORM_MS)])).map(
      Number,
    );
    return {
      during,
      seconds: seconds ?? Number.NaN,
      busy: busy ?? 0,
      lost: lost ?? size.storm,
      broken: broken ?? 0,
    };
  } finally {
    await storm.end();
  }
}

async function failAfter(ms: number): Promise<never> {
  await sleep(ms);
  throw new Error(`people were still signing in after ${ms} ms`);
}

/**
 * CPU seconds of one right password, by the process that looks at it. Everybody proves themselves once from where
 * they come again in the storm, as on any morning: strangers of one address are let in a few at a time.
 */
async function measureHash(
  people: number,
  { path, pid }: { readonly path: string; readonly pid: number },
): Promise<number> {
  const client = createAuthClient({ path, log: silentLog() });
  const before = readCpuSeconds(pid);
  for (let number = 1; number <= people; number++) {
    const proof = { kind: "password", password: SEED_PASSWORD } as const;
    const question = { kind: "user", login: `person${number}`, proof, origin: "127.0.0.1" } as const;
    const answer = await client.verify(question, AbortSignal.timeout(30_000));
    if (answer.outcome !== "accepted") throw new Error(`person${number} was not let in: ${answer.outcome}`);
  }
  client.close();
  return (readCpuSeconds(pid) - before) / people;
}

function sumResidentKb(workers: readonly Worker[]): number {
  return workers.reduce((sum, { relay }) => {
    const status = readFileSync(`/proc/${relay.pid}/status`, "utf8");
    return sum + Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0);
  }, 0);
}
