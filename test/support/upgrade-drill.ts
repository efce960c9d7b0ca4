/**
 * Brokers that are replaced and boxes that go down, under visits without end, in a network namespace of their own:
 * `unshare -n … upgrade-drill.ts OPTIONS`, JSON of DrillOptions. Prints a DrillResult.
 */

import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { brokerStateFile, readBrokerState } from "../../src/wire/broker/state-file.ts";
import type { DrillBroker } from "./drill-broker.ts";
import { watchNumbers } from "./numbered-session.ts";
import { createTlsPair } from "./tls-pair.ts";
import { type Visits, visitList, visitMany } from "./visit-list.ts";

export type DrillOptions = {
  readonly folder: string;
  /** `workers`: two at a time on one port. `boxes`: two behind a balancer that go down in turn. */
  readonly of: "workers" | "boxes";
  readonly visits: number;
  /** net.ipv4.tcp_migrate_req. */
  readonly migrates: boolean;
};

export type DrillResult = Visits & {
  readonly replaced: number;
  /** Bytes of the session that ran all the time, and what was wrong with them. */
  readonly sessionBytes: number;
  readonly sessionFault: string | undefined;
  /** Addresses that brokers saw asking for proof. */
  readonly origins: readonly string[];
};

const PROGRAM = fileURLToPath(new URL("drill-broker.ts", import.meta.url));
const AT_A_TIME = 16;
/** Of a line of HAProxy's `show stat`. */
const STATUS_CELL = 17;
const CHECK_CELL = 36;
const PORTS = { broker: 28_453, other: 28_454, balancer: 28_455 };

type ServerStatus = { readonly status: string; readonly check: string };

/** By what the balancer itself says. */
async function readStatus(server: string): Promise<ServerStatus> {
  const lines = (await askHaproxy("show stat")).split("\n");
  const cells = lines.find((line) => line.startsWith(`qvd,${server},`))?.split(",");
  return { status: cells?.[STATUS_CELL] ?? "", check: cells?.[CHECK_CELL] ?? "" };
}

/** Before its first check the balancer takes every server to be up, and has asked none. */
async function untilUp(server: string): Promise<void> {
  const isUp = async () => {
    const { status, check } = await readStatus(server);
    return status === "UP" && check.includes("L7OK");
  };
  if (!(await waitFor(isUp, { timeoutMs: 20_000, everyMs: 100 }))) throw new Error(`${server} is not up`);
}

function askHaproxy(question: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(haproxySocket, () => socket.write(`${question}\n`));
    let answer = "";
    socket.setTimeout(5_000, () => socket.destroy(new Error("HAProxy doesn't answer")));
    socket.on("data", (chunk) => {
      answer += chunk.toString();
    });
    socket.on("end", () => resolve(answer));
    socket.on("error", reject);
  });
}

type Broker = Bun.Subprocess<"ignore", "pipe", "inherit">;
const options: DrillOptions = JSON.parse(process.argv[2] ?? "");
const states = `${options.folder}/states`;
const haproxySocket = `${options.folder}/haproxy.sock`;
mkdirSync(states, { recursive: true });
await runOk("bring the loopback up", ["/usr/sbin/ip", "link", "set", "lo", "up"]);
writeFileSync("/proc/sys/net/ipv4/tcp_migrate_req", options.migrates ? "1" : "0");
const { tlsKey, tlsCertificate } = await createTlsPair();
writeFileSync(`${options.folder}/key`, tlsKey);
writeFileSync(`${options.folder}/crt`, tlsCertificate);
const desktop = createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
await once(desktop, "listening");
const origins = new Set<string>();
const brokers: Broker[] = [];

const result = options.of === "workers" ? await replaceWorkers() : await takeBoxesDown();
console.log(JSON.stringify(result));
for (const broker of brokers) broker.kill("SIGKILL");
process.exit();

async function startBroker(port: number, balancers = ""): Promise<Broker> {
  const address = desktop.address();
  const own: DrillBroker = {
    ...{ port, states, balancers, leaveMs: 10_000 },
    ...{ key: `${options.folder}/key`, certificate: `${options.folder}/crt` },
    desktopPort: typeof address === "object" && address !== null ? address.port : 0,
  };
  const broker = Bun.spawn([process.execPath, PROGRAM, JSON.stringify(own)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  brokers.push(broker);
  void noteOrigins(broker);
  await until("a broker listens", () => phaseOf(broker) === "listening");
  return broker;
}

function phaseOf({ pid }: Broker): string | undefined {
  return readBrokerState(brokerStateFile(states, pid))?.phase;
}

async function noteOrigins(broker: Broker): Promise<void> {
  for await (const chunk of broker.stdout)
    for (const line of Buffer.from(chunk).toString().split("\n").filter(Boolean)) origins.add(line);
}

async function until(what: string, condition: () => boolean): Promise<void> {
  if (!(await waitFor(condition, { timeoutMs: 20_000 }))) throw new Error(`not in time: ${what}`);
}

/** As a node does it: successors listen, then their elders are told. */
async function replaceWorkers(): Promise<DrillResult> {
  let workers = [await startBroker(PORTS.broker), await startBroker(PORTS.broker)];
  const session = await watchNumbers(PORTS.broker);
  let replaced = 0;
  let isOver = false;
  const replacing = (async () => {
    while (!isOver) {
      const successors = [await startBroker(PORTS.broker), await startBroker(PORTS.broker)];
      for (const elder of workers) elder.kill("SIGUSR2");
      replaced += workers.length;
      workers = successors;
      // What is measured are the visits, not how many brokers this machine can start.
      await Bun.sleep(500);
    }
  })();
  // However slowly this machine starts brokers.
  const isEnough = (count: number) => count >= options.visits && replaced >= 6;
  const visits = await visitMany(PORTS.broker, { atATime: AT_A_TIME, isEnough });
  isOver = true;
  await replacing;
  return { ...visits, replaced, ...(await session.stop()), origins: [...origins] };
}

/** On stderr, for whoever asks why a visit was lost. */
async function tellStatus(signal: AbortSignal): Promise<void> {
  let [told, sinceMs] = ["", performance.now()];
  while (!signal.aborted) {
    const [a, b] = [await readStatus("a"), await readStatus("b")];
    const seen = `a ${a.status} ${a.check}, b ${b.status} ${b.check}`;
    if (seen !== told) console.error(`${Math.round(performance.now() - sinceMs)} ms later: ${seen}`);
    if (seen !== told) [told, sinceMs] = [seen, performance.now()];
    await Bun.sleep(200);
  }
}

/** Real HAProxy before two boxes, of which one is always there. */
async function takeBoxesDown(): Promise<DrillResult> {
  const balancers = "127.0.0.1";
  const start = {
    a: () => startBroker(PORTS.broker, balancers),
    b: () => startBroker(PORTS.other, balancers),
  };
  const boxes = { a: await start.a(), b: await start.b() };
  const haproxy = await startHaproxy();
  for (const name of ["a", "b"]) await untilUp(name);
  const told = new AbortController();
  const telling = tellStatus(told.signal);
  const session = await watchNumbers(PORTS.balancer, { localAddress: "127.0.0.9" });
  let replaced = 0;
  let isOver = false;
  const rounds = (async () => {
    while (!isOver)
      for (const name of ["a", "b"] as const) {
        boxes[name].kill("SIGTERM");
        await until(
          "it takes nobody new",
          () => phaseOf(boxes[name]) !== "leaving" && phaseOf(boxes[name]) !== "listening",
        );
        boxes[name] = await start[name]();
        replaced++;
        // Before the other one goes down.
        await untilUp(name);
      }
  })();
  const visits = await visitMany(PORTS.balancer, {
    atATime: AT_A_TIME,
    isEnough: (count) => count >= options.visits && replaced >= 4,
  });
  isOver = true;
  await rounds;
  const stopped = await session.stop();
  told.abort();
  await telling;
  haproxy.kill();
  return { ...visits, replaced, ...stopped, origins: [...origins] };
}

async function startHaproxy(): Promise<Bun.Subprocess> {
  // A check's handshake may take `inter`: two that a busy machine held up for 300 ms each once took both boxes down.
  const paces = "inter 3s fastinter 300 downinter 300 fall 2 rise 2";
  const check = `check check-ssl check-send-proxy ${paces} send-proxy-v2 verify none`;
  const lines = [
    "global",
    "  maxconn 4000",
    `  stats socket ${haproxySocket}`,
    "defaults",
    "  mode tcp",
    "  timeout connect 3s",
    // Without it a check on a busy machine fails after `inter`.
    "  timeout check 10s",
    "  timeout client 1h",
    "  timeout server 1h",
    "listen qvd",
    `  bind 127.0.0.1:${PORTS.balancer}`,
    "  balance roundrobin",
    "  option httpchk",
    "  http-check send meth GET uri /qvd/ping ver HTTP/1.1 hdr Host qvd",
    "  http-check expect status 200",
    `  server a 127.0.0.1:${PORTS.broker} ${check}`,
    `  server b 127.0.0.1:${PORTS.other} ${check}`,
  ];
  const path = `${options.folder}/haproxy.cfg`;
  writeFileSync(path, `${lines.join("\n")}\n`);
  const haproxy = Bun.spawn(["/usr/sbin/haproxy", "-db", "-q", "-f", path], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  const isUp = async () => (await visitList(PORTS.balancer)) === "200";
  if (!(await waitFor(isUp, { timeoutMs: 30_000, everyMs: 100 }))) throw new Error("HAProxy doesn't serve");
  return haproxy;
}
