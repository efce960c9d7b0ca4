/** The measurements of the broker's bench, each of one relay at a time. */

import { readFileSync } from "node:fs";
import { sleep } from "../../src/lib/wait.ts";
import { readCpuSeconds } from "../processes.ts";
import type { SignIns } from "./sign-ins.ts";
import type { Load, Relay, Stage } from "./stage.ts";

const SECONDS = 1.5;
const AT_ONCE = 16;
const WARM_UP_MS = 3_000;

export type Flow = { readonly way: "down" | "up"; readonly streams: number };

export async function measureFlow(stage: Stage, relay: Relay, { way, streams }: Flow) {
  const load = stage.startLoad(relay, way, { streams, seconds: SECONDS });
  return await during(load, async () => {
    const before = readCpuSeconds(relay.pid);
    const [, bytes, seconds] = await load.line();
    const used = readCpuSeconds(relay.pid) - before;
    return {
      secondsPerGb: used / (Number(bytes) / 1e9),
      megabytesPerSecond: Number(bytes) / Number(seconds) / 1e6,
    };
  });
}

export type Times = { readonly p50: number; readonly p99: number };

export async function measureRoundTrip(stage: Stage, relay: Relay, seconds = SECONDS): Promise<Times> {
  await stage.hurry(relay, true);
  const load = stage.startLoad(relay, "echo", { streams: 1, seconds });
  try {
    return await during(load, async () => {
      const [, p50, p99] = await load.line();
      return { p50: Number(p50), p99: Number(p99) };
    });
  } finally {
    await stage.hurry(relay, false);
  }
}

export type Beside = { readonly file: string; readonly aSecond: number; readonly atOnce: number };

/** A second: who was let in, who was told to come later, and who wasn't begun since too many were under way. */
export type SignInsDone = { readonly admitted: number; readonly putOff: number; readonly late: number };

/** The same while people sign in; of them, how many a second were let in. */
export async function measureBeside(
  stage: Stage,
  relay: Relay,
  { file: peopleFile, aSecond, atOnce }: Beside,
): Promise<Times & SignInsDone> {
  const seconds = SECONDS * 2;
  const load = stage.startLoad(relay, "sign", { streams: aSecond, seconds: 0, peopleFile, atOnce });
  return await during(load, async () => {
    // As in any process that has run for a while: its sign-ins are compiled, its memory is there.
    await sleep(WARM_UP_MS);
    const startMs = performance.now();
    const times = await measureRoundTrip(stage, relay, seconds);
    await load.finish();
    const lastedSeconds = (performance.now() - startMs + WARM_UP_MS) / 1000;
    const [admitted = 0, putOff = 0, late = 0] = (await load.line())
      .slice(1)
      .map((word) => Number(word) / lastedSeconds);
    return { ...times, admitted, putOff, late };
  });
}

/** CPU microseconds of a relay for somebody who comes, asks `/qvd/ping`, and leaves with the answer. */
export async function measureConnections(stage: Stage, relay: Relay): Promise<number> {
  const load = stage.startLoad(relay, "connect", { streams: AT_ONCE, seconds: SECONDS });
  return await during(load, async () => {
    const before = readCpuSeconds(relay.pid);
    const [, count] = await load.line();
    return ((readCpuSeconds(relay.pid) - before) / Number(count)) * 1e6;
  });
}

/** Growth of resident memory per session, in kB, from one session to all of them. */
export async function measureMemory(stage: Stage, relay: Relay, sessions: number): Promise<number> {
  const first = stage.startLoad(relay, "idle", { streams: 1, seconds: 0 });
  return await during(first, async () => {
    await sleep(1_000);
    const before = readResidentKb(relay.pid);
    const all = stage.startLoad(relay, "idle", { streams: sessions, seconds: 0 });
    return await during(all, async () => {
      // The garbage of the set-up goes when the process has been quiet for a moment.
      await sleep(5_000);
      return (readResidentKb(relay.pid) - before) / sessions;
    });
  });
}

/** From when a load is under way until it is ended. */
async function during<T>(load: Load, work: () => Promise<T>): Promise<T> {
  try {
    await load.line();
    return await work();
  } finally {
    await load.end();
  }
}

/** What sign-ins are measured beside. */
export function listBeside({ tokenFile, passwordFile }: SignIns) {
  return [
    // A second of them may be under way: what is slow is late, and not left out.
    { what: "token", file: tokenFile, aSecond: 100, atOnce: 100 },
    // More than can be hashed: the queue admits what it can.
    { what: "argon2id", file: passwordFile, aSecond: 100, atOnce: 24 },
  ] as const;
}

function readResidentKb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0);
}
