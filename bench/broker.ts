/**
 * The broker's pipe beside HAProxy: the same certificate (P-256) and cipher (TLS 1.3, AES-128-GCM), one
 * process each on the same core, HAProxy with its default buffers. The broker is whole: parser, sign-in,
 * session request, upgrade, pipe; tables in memory stand for its database. CPU time per byte is what counts:
 * throughput depends on what else the machine does.
 */

import { readFileSync } from "node:fs";
import { sleep } from "../src/lib/wait.ts";
import { type Bench, type BenchIo, type Figure, figure, median } from "./bench.ts";
import { openStage, type Relay, type Stage } from "./broker/stage.ts";
import { readCpuSeconds } from "./processes.ts";

const ROUNDS = 5;
const SECONDS = 1.5;
const IDLE_SESSIONS = 2_000;
const BESIDE = "haproxy";
const NAMES = ["broker", "haproxy"] as const;
const FLOWS = [
  { way: "down", streams: 1 },
  { way: "up", streams: 1 },
  { way: "down", streams: 50 },
  { way: "up", streams: 50 },
] as const;

type Samples = Map<string, Record<Relay["name"], number[]>>;

export const brokerBench: Bench = {
  name: "broker",
  summary: "CPU per GB, round trip and memory of the broker's pipe, beside HAProxy",
  needs: ["haproxy", "gcc", "libc6-dev", "libssl-dev", "openssl", "util-linux"],
  run,
};

async function run(io: BenchIo): Promise<Figure[]> {
  const stage = await openStage();
  const samples: Samples = new Map();
  try {
    for (let round = 1; round <= ROUNDS && !io.signal.aborted; round++) {
      io.say(`round ${round} of ${ROUNDS}`);
      await measureRound(stage, samples, io);
    }
    io.say(`${IDLE_SESSIONS} idle sessions`);
    for (const name of NAMES) keep(samples, "memory", name, await measureMemory(stage, name));
    return report(samples);
  } finally {
    await stage.close();
  }
}

async function measureRound(stage: Stage, samples: Samples, io: BenchIo): Promise<void> {
  const relays = [await stage.startRelay("broker"), await stage.startRelay("haproxy")];
  try {
    for (const { way, streams } of FLOWS)
      for (const relay of relays) {
        const { secondsPerGb, megabytesPerSecond } = await measureFlow(stage, relay, { way, streams });
        keep(samples, `${way} ${streams}`, relay.name, secondsPerGb);
        io.say(
          `  ${relay.name.padEnd(8)} ${way} ×${streams}: ${secondsPerGb.toFixed(2)} s/GB at ${megabytesPerSecond.toFixed(0)} MB/s`,
        );
      }
    for (const relay of relays) {
      const { p50, p99 } = await measureRoundTrip(stage, relay);
      keep(samples, "p50", relay.name, p50);
      keep(samples, "p99", relay.name, p99);
      io.say(`  ${relay.name.padEnd(8)} round trip: p50 ${p50} µs, p99 ${p99} µs`);
    }
  } finally {
    for (const relay of relays) await relay.stop();
  }
}

async function measureFlow(stage: Stage, relay: Relay, flow: (typeof FLOWS)[number]) {
  const load = stage.startLoad(relay, flow.way, { streams: flow.streams, seconds: SECONDS });
  try {
    await load.line();
    const before = readCpuSeconds(relay.pid);
    const [, bytes, seconds] = await load.line();
    const used = readCpuSeconds(relay.pid) - before;
    return {
      secondsPerGb: used / (Number(bytes) / 1e9),
      megabytesPerSecond: Number(bytes) / Number(seconds) / 1e6,
    };
  } finally {
    await load.end();
  }
}

async function measureRoundTrip(stage: Stage, relay: Relay): Promise<{ p50: number; p99: number }> {
  await stage.hurry(relay, true);
  const load = stage.startLoad(relay, "echo", { streams: 1, seconds: SECONDS });
  try {
    await load.line();
    const [, p50, p99] = await load.line();
    return { p50: Number(p50), p99: Number(p99) };
  } finally {
    await load.end();
    await stage.hurry(relay, false);
  }
}

/** Growth of resident memory per session, in kB, from one session to all of them. */
async function measureMemory(stage: Stage, name: Relay["name"]): Promise<number> {
  const relay = await stage.startRelay(name);
  const first = stage.startLoad(relay, "idle", { streams: 1, seconds: 0 });
  let all: typeof first | undefined;
  try {
    await first.line();
    await sleep(1_000);
    const before = readResidentKb(relay.pid);
    all = stage.startLoad(relay, "idle", { streams: IDLE_SESSIONS, seconds: 0 });
    await all.line();
    // The garbage of the set-up goes when the process has been quiet for a moment.
    await sleep(5_000);
    return (readResidentKb(relay.pid) - before) / IDLE_SESSIONS;
  } finally {
    await first.end();
    await all?.end();
    await relay.stop();
  }
}

function readResidentKb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0);
}

function keep(samples: Samples, key: string, name: Relay["name"], value: number): void {
  const both = samples.get(key) ?? { broker: [], haproxy: [] };
  both[name].push(value);
  samples.set(key, both);
}

function report(samples: Samples): Figure[] {
  const of = (key: string) => {
    const both = samples.get(key) ?? { broker: [], haproxy: [] };
    return { ours: median(both.broker), beside: BESIDE, theirs: median(both.haproxy) };
  };
  const flows = FLOWS.map(({ way, streams }) => ({ way, streams, ...of(`${way} ${streams}`) }));
  const mean = flows.reduce((sum, { ours, theirs }) => sum + ours / theirs, 0) / flows.length;
  return [
    ...flows.map(({ way, streams, ...values }) =>
      figure(`CPU ${way}, ${streams} ${streams === 1 ? "stream" : "streams"}`, "s/GB", {
        ...values,
        goal: { on: "ratio", atMost: 0.7 },
      }),
    ),
    figure("CPU, mean of the four ratios", "×", {
      ours: mean,
      beside: BESIDE,
      theirs: 1,
      goal: { on: "ratio", atMost: 0.6 },
    }),
    figure("64-byte round trip, p50", "µs", { ...of("p50"), goal: { on: "ratio", atMost: 0.85 } }),
    figure("64-byte round trip, p99", "µs", { ...of("p99"), goal: { on: "ratio", atMost: 1.1 } }),
    figure(`memory of an idle session, at ${IDLE_SESSIONS}`, "kB", {
      ...of("memory"),
      goal: { on: "ours", atMost: 12 },
    }),
  ];
}
