/**
 * How much a front door carries: ten thousand idle sessions and two hundred people at work over three workers, and
 * what the people at work notice when a thousand others sign in at once. The brokers are whole but for their database,
 * which is tables in memory; auth is the product's, over PostgreSQL.
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthClient } from "../src/auth/client.ts";
import { silentLog } from "../src/lib/log.ts";
import { sleep } from "../src/lib/wait.ts";
import { SEED_PASSWORD } from "../test/support/db-seed.ts";
import { type Bench, type BenchIo, type Figure, figure } from "./bench.ts";
import { type Load, openStage, type Relay, type Stage } from "./broker/stage.ts";
import { signInAll } from "./capacity/storm.ts";
import { readCpuSeconds } from "./processes.ts";

const WORKERS = 3;
const IDLE = 10_000;
const AT_WORK = 200;
const STORM = 1_000;
const QUIET_SECONDS = 10;

export const capacityBench: Bench = {
  name: "capacity",
  summary: `${IDLE} idle sessions, ${AT_WORK} at work and a storm of ${STORM} sign-ins over ${WORKERS} workers`,
  needs: ["gcc", "libc6-dev", "libssl-dev", "openssl", "util-linux"],
  run,
};

type Worker = { readonly stage: Stage; readonly relay: Relay & { stop(): Promise<void> } };
type Times = { readonly p50: number; readonly p99: number };

async function run(io: BenchIo): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "qvd-capacity-"));
  const socket = `${folder}/auth`;
  const auth = Bun.spawn(
    [process.execPath, join(import.meta.dir, "capacity/auth-process.ts"), socket, `${STORM}`],
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
    const quiet = await measureWork(workers);
    io.say(`${IDLE} idle sessions`);
    const before = sumResidentKb(workers);
    for (const { stage, relay } of workers) {
      const load = stage.startLoad(relay, "idle", { streams: Math.ceil(IDLE / WORKERS), seconds: 0 });
      idle.push(load);
      await load.line();
    }
    await sleep(5_000);
    const sessionKb = (sumResidentKb(workers) - before) / IDLE;
    const full = await measureWork(workers);
    io.say(`${STORM} passwords, one after the other`);
    const cost = await measureHash(socket, auth.pid);
    io.say(`${STORM} people sign in`);
    const [port = 0] = workers.map(({ relay }) => relay.port);
    const storm = signInAll(port, STORM);
    const during = await measureWork(workers, true);
    const { seconds, busy, lost } = await storm;
    return [
      figure("memory of an idle session", "kB", { ours: sessionKb, goal: { on: "ours", atMost: 12 } }),
      ...timesOf("round trip, 200 at work", quiet),
      ...timesOf(`round trip beside ${IDLE} idle sessions`, full, quiet),
      ...timesOf(`round trip in a storm of ${STORM} sign-ins`, during, quiet),
      figure("sign-ins a second and core, by argon2id", "/s", { ours: 1 / cost }),
      figure(`time until all ${STORM} are in`, "s", { ours: seconds }),
      figure("answers that told somebody to come again", "", { ours: busy }),
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
async function measureWork(workers: readonly Worker[], isLong = false): Promise<Times> {
  const seconds = isLong ? QUIET_SECONDS * 2 : QUIET_SECONDS;
  const streams = Math.ceil(AT_WORK / WORKERS);
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

/**
 * CPU seconds of one right password, by the process that looks at it. Everybody proves themselves once from where
 * they come again in the storm, as on any morning: strangers of one address are let in a few at a time.
 */
async function measureHash(path: string, pid: number): Promise<number> {
  const client = createAuthClient({ path, log: silentLog() });
  const before = readCpuSeconds(pid);
  for (let number = 1; number <= STORM; number++) {
    const proof = { kind: "password", password: SEED_PASSWORD } as const;
    const question = { kind: "user", login: `person${number}`, proof, origin: "127.0.0.1" } as const;
    const answer = await client.verify(question, AbortSignal.timeout(30_000));
    if (answer.outcome !== "accepted") throw new Error(`person${number} was not let in: ${answer.outcome}`);
  }
  client.close();
  return (readCpuSeconds(pid) - before) / STORM;
}

function sumResidentKb(workers: readonly Worker[]): number {
  return workers.reduce((sum, { relay }) => {
    const status = readFileSync(`/proc/${relay.pid}/status`, "utf8");
    return sum + Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0);
  }, 0);
}
