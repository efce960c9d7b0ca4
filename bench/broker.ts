/**
 * The broker beside the relays that people put before such a port: the same certificate (P-256) and cipher (TLS 1.3,
 * AES-128-GCM), one process or worker each on the same core, with their own defaults. The broker is whole: parser,
 * sign-in, session request, upgrade, pipe; tables in memory stand for its database. CPU time per byte is what counts:
 * throughput depends on what else the machine does. Words choose among the parts: `script/bench broker trips memory`.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, type BenchIo, type Figure, figure } from "./bench.ts";
import {
  listBeside,
  measureBeside,
  measureConnections,
  measureFlow,
  measureMemory,
  measureRoundTrip,
} from "./broker/measure.ts";
import { PEER_NAMES } from "./broker/peers.ts";
import { Samples } from "./broker/samples.ts";
import { openSignIns, type SignIns } from "./broker/sign-ins.ts";
import { openStage, type Relay, type RunningRelay, type Stage } from "./broker/stage.ts";

const ROUNDS = 5;
const IDLE_SESSIONS = 2_000;
const NAMES = ["broker", ...PEER_NAMES] as const;
const PARTS = ["flows", "trips", "sign-ins", "connections", "memory"] as const;
const FLOWS = [
  { way: "down", streams: 1 },
  { way: "up", streams: 1 },
  { way: "down", streams: 50 },
  { way: "up", streams: 50 },
] as const;

type Part = (typeof PARTS)[number];
type Measuring = {
  readonly stage: Stage;
  readonly samples: Samples;
  readonly parts: ReadonlySet<Part>;
  readonly io: BenchIo;
  readonly signIns: SignIns | undefined;
};

export const brokerBench: Bench = {
  name: "broker",
  summary: "the broker's pipe and door beside HAProxy, nginx and stunnel",
  needs: [
    ...["haproxy", "nginx-light", "libnginx-mod-stream", "stunnel4"],
    ...["gcc", "libc6-dev", "libssl-dev", "openssl", "util-linux"],
  ],
  run,
};

async function run(io: BenchIo): Promise<Figure[]> {
  const named = PARTS.filter((part) => io.words?.includes(part));
  const parts = new Set<Part>(named.length > 0 ? named : PARTS);
  const folder = mkdtempSync(join(tmpdir(), "qvd-bench-"));
  const samples = new Samples();
  const stage = await openStage();
  const signIns = parts.has("sign-ins") ? await openSignIns(stage, folder) : undefined;
  const measuring = { stage, samples, parts, io, signIns };
  try {
    for (let round = 1; round <= ROUNDS && !io.signal.aborted; round++) {
      io.say(`round ${round} of ${ROUNDS}`);
      await measureRound(measuring);
    }
    if (parts.has("memory") && !io.signal.aborted) await measureAllMemory(measuring);
    return report(samples);
  } finally {
    await signIns?.end();
    await stage.close();
    rmSync(folder, { recursive: true });
  }
}

async function measureRound(measuring: Measuring): Promise<void> {
  const { stage, parts, signIns } = measuring;
  const relays: RunningRelay[] = [];
  try {
    for (const name of NAMES) relays.push(await stage.startRelay(name, signIns?.places));
    if (parts.has("flows")) await measureFlows(measuring, relays);
    for (const relay of relays) {
      if (parts.has("trips")) await keepRoundTrip(measuring, relay);
      if (parts.has("sign-ins")) await keepBeside(measuring, relay);
      if (parts.has("connections")) await keepConnections(measuring, relay);
    }
  } finally {
    for (const relay of relays) await relay.stop();
  }
}

async function measureFlows({ stage, samples, io }: Measuring, relays: readonly Relay[]): Promise<void> {
  for (const flow of FLOWS)
    for (const relay of relays) {
      const { secondsPerGb, megabytesPerSecond } = await measureFlow(stage, relay, flow);
      samples.keep(cpuKey(flow), relay.name, secondsPerGb);
      samples.keep(speedKey(flow), relay.name, megabytesPerSecond);
      const said = `${secondsPerGb.toFixed(2)} s/GB at ${megabytesPerSecond.toFixed(0)} MB/s`;
      say(io, relay, `${flow.way} ×${flow.streams}: ${said}`);
    }
}

async function keepRoundTrip({ stage, samples, io }: Measuring, relay: Relay): Promise<void> {
  const { p50, p99 } = await measureRoundTrip(stage, relay);
  samples.keep("p50", relay.name, p50);
  samples.keep("p99", relay.name, p99);
  say(io, relay, `round trip: p50 ${p50} µs, p99 ${p99} µs`);
}

async function keepBeside({ stage, samples, io, signIns }: Measuring, relay: Relay): Promise<void> {
  if (signIns === undefined) return;
  for (const { what, ...beside } of listBeside(signIns)) {
    const { p50, p99, admitted, putOff, late } = await measureBeside(stage, relay, beside);
    samples.keep(`${what} p50`, relay.name, p50);
    samples.keep(`${what} p99`, relay.name, p99);
    samples.keep(`${what} admitted`, relay.name, admitted);
    const others = `${putOff.toFixed(0)} put off, ${late.toFixed(0)} not begun`;
    say(
      io,
      relay,
      `beside ${admitted.toFixed(1)} sign-ins/s by ${what} (${others}): p50 ${p50} µs, p99 ${p99} µs`,
    );
  }
}

async function keepConnections({ stage, samples, io }: Measuring, relay: Relay): Promise<void> {
  const microseconds = await measureConnections(stage, relay);
  samples.keep("connection", relay.name, microseconds);
  say(io, relay, `a new connection: ${microseconds.toFixed(0)} µs of CPU`);
}

async function measureAllMemory({ stage, samples, io }: Measuring): Promise<void> {
  io.say(`${IDLE_SESSIONS} idle sessions`);
  for (const name of NAMES) {
    const relay = await stage.startRelay(name);
    try {
      const kb = await measureMemory(stage, relay, IDLE_SESSIONS);
      samples.keep("memory", name, kb);
      say(io, relay, `an idle session: ${kb.toFixed(1)} kB`);
    } finally {
      await relay.stop();
    }
  }
}

function say(io: BenchIo, { name }: Relay, text: string): void {
  io.say(`  ${name.padEnd(8)} ${text}`);
}

type Flow = (typeof FLOWS)[number];
const cpuKey = ({ way, streams }: Flow) => `cpu ${way} ${streams}`;
const speedKey = ({ way, streams }: Flow) => `speed ${way} ${streams}`;
const nameOf = ({ way, streams }: Flow) => `${way}, ${streams} ${streams === 1 ? "stream" : "streams"}`;

function report(samples: Samples): Figure[] {
  const means = PEER_NAMES.flatMap((beside) => {
    const ours = samples.meanRatio(FLOWS.map(cpuKey), beside);
    if (ours === undefined) return [];
    const goal = beside === "haproxy" ? { goal: { on: "ratio", atMost: 0.6 } as const } : {};
    return [figure("CPU, mean of the four ratios", "×", { ours, beside, theirs: 1, ...goal })];
  });
  const goals = { p50: { on: "ratio", atMost: 0.85 }, p99: { on: "ratio", atMost: 1.1 } } as const;
  const times = (["p50", "p99"] as const).flatMap((key) => [
    ...samples.rows(key, `64-byte round trip, ${key}`, { unit: "µs" }),
    ...samples.rows(`token ${key}`, `… beside sign-ins by token, ${key}`, { unit: "µs", goal: goals[key] }),
    ...samples.rows(`argon2id ${key}`, `… beside sign-ins by argon2id, ${key}`, {
      unit: "µs",
      goal: goals[key],
    }),
  ]);
  return [
    ...FLOWS.flatMap((flow) => samples.rows(speedKey(flow), `throughput ${nameOf(flow)}`, { unit: "MB/s" })),
    ...FLOWS.flatMap((flow) => samples.rows(cpuKey(flow), `CPU ${nameOf(flow)}`, { unit: "s/GB" })),
    ...means,
    ...times,
    ...samples.rows("token admitted", "sign-ins by token", { unit: "/s" }),
    ...samples.rows("argon2id admitted", "sign-ins by argon2id", { unit: "/s" }),
    ...samples.rows("connection", "CPU of a new connection", {
      unit: "µs",
      goal: { on: "ratio", atMost: 0.7 },
    }),
    ...samples.rows("memory", `memory of an idle session, at ${IDLE_SESSIONS}`, {
      unit: "kB",
      goal: { on: "ours", atMost: 12 },
    }),
  ];
}
