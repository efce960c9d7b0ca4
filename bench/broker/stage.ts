/** The four processes of the broker's bench: desktops' side, broker, HAProxy, clients' side. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { connectRequest } from "../../test/support/broker-door.ts";
import { createTlsPair } from "../../test/support/tls-pair.ts";

export type Relay = {
  readonly name: "broker" | "haproxy";
  readonly pid: number;
  readonly port: number;
  /** What a client of it says first. */
  readonly headFile: string | undefined;
};

export type Load = {
  /** Resolves with the words of the next line of the clients' side. */
  readonly line: () => Promise<string[]>;
  readonly end: () => Promise<void>;
};

export type Stage = {
  /** A broker asks `authSocket` who people are, where it is given. */
  startRelay(name: Relay["name"], authSocket?: string): Promise<Relay & { stop(): Promise<void> }>;
  startLoad(relay: Relay, way: "down" | "up" | "echo" | "idle" | "work", more: LoadOptions): Load;
  /** Puts a relay and the desktops' side before everything else on the machine, for a round trip's microseconds. */
  hurry(relay: Relay, isHurried: boolean): Promise<void>;
  close(): Promise<void>;
};

export type LoadOptions = { readonly streams: number; readonly seconds: number };

/**
 * Relays get the first core, the load the others, so that they don't take each other's caches and time; both
 * go before whatever else the machine does.
 */
const RELAY_CORE = ["nice", "-n", "-12", "taskset", "-c", "0"];
const LOAD_CORES = [
  "nice",
  "-n",
  "-12",
  "taskset",
  "-c",
  `1-${Math.max(1, navigator.hardwareConcurrency - 1)}`,
];

export async function openStage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "qvd-bench-"));
  const load = `${folder}/load`;
  await runOk("build the load generator", [
    ...["gcc", "-O2", "-o", load, join(import.meta.dir, "load.c"), "-lssl", "-lcrypto", "-lpthread"],
  ]);
  const { tlsKey, tlsCertificate } = await createTlsPair();
  writeFileSync(`${folder}/key`, tlsKey, { mode: 0o600 });
  writeFileSync(`${folder}/crt`, tlsCertificate);
  writeFileSync(`${folder}/pem`, tlsCertificate + tlsKey, { mode: 0o600 });
  writeFileSync(`${folder}/head`, connectRequest("NNNN"));
  const desktop = start([...LOAD_CORES, load, "desktop"]);
  const desktopPort = Number((await desktop.line())[0]);
  return {
    startRelay: (name, authSocket) =>
      name === "broker" ? startBroker(folder, desktopPort, authSocket) : startHaproxy(folder, desktopPort),
    startLoad: (relay, way, { streams, seconds }) =>
      start([
        ...(way === "echo" ? ["chrt", "--fifo", "10"] : []),
        ...[...LOAD_CORES, load, "client", `${relay.port}`, way, `${streams}`, `${seconds}`],
        ...(relay.headFile === undefined ? [] : [relay.headFile]),
      ]),
    hurry: async (relay, isHurried) => {
      const policy = isHurried ? ["--fifo", "--pid", "10"] : ["--other", "--pid", "0"];
      // All of its threads: a collector that may not run holds up the one that may. One that ends meanwhile
      // fails chrt, so it is asked again.
      for (const pid of [relay.pid, desktop.pid]) {
        const command = ["chrt", "--all-tasks", ...policy, `${pid}`];
        const isSet = async () => (await run(command)).exitCode === 0;
        if (!(await waitFor(isSet, { timeoutMs: 5_000 }))) throw new Error(`${command.join(" ")} fails`);
      }
    },
    close: async () => {
      await desktop.end();
      rmSync(folder, { recursive: true });
    },
  };
}

async function startBroker(folder: string, desktopPort: number, authSocket?: string) {
  const script = join(import.meta.dir, "../../test/support/broker-process.ts");
  const child = start([
    ...[...RELAY_CORE, process.execPath, script, `${desktopPort}`, `${folder}/key`, `${folder}/crt`],
    ...(authSocket === undefined ? [] : [authSocket]),
  ]);
  const port = Number((await child.line())[0]);
  return { name: "broker" as const, pid: child.pid, port, headFile: `${folder}/head`, stop: child.end };
}

async function startHaproxy(folder: string, desktopPort: number) {
  const port = await freePort();
  writeFileSync(
    `${folder}/haproxy.cfg`,
    `global
  maxconn 5000
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend qvd
  bind 127.0.0.1:${port} ssl crt ${folder}/pem
  default_backend desktop
backend desktop
  server desktop 127.0.0.1:${desktopPort}
`,
  );
  const child = start([...RELAY_CORE, "haproxy", "-q", "-db", "-f", `${folder}/haproxy.cfg`]);
  const isUp = await waitFor(() => canConnect(port), { timeoutMs: 5_000, everyMs: 50 });
  if (!isUp) throw new Error("haproxy does not listen");
  return { name: "haproxy" as const, pid: child.pid, port, headFile: undefined, stop: child.end };
}

function start(command: string[]) {
  const child = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const reader = child.stdout.getReader();
  let text = "";
  return {
    pid: child.pid,
    line: async () => {
      for (;;) {
        const end = text.indexOf("\n");
        if (end !== -1) {
          const line = text.slice(0, end);
          text = text.slice(end + 1);
          return line.split(" ");
        }
        const { value, done } = await reader.read();
        if (done) throw new Error(`${command.join(" ")} ended`);
        text += new TextDecoder().decode(value);
      }
    },
    end: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

async function freePort(): Promise<number> {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

async function canConnect(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data: () => {} } });
    socket.end();
    return true;
  } catch {
    // Nobody listens yet, which is what was asked.
    return false;
  }
}
