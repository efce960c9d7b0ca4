/** The processes of the broker's bench: desktops' side, relays, clients' side. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROCESS_MEMORY } from "../../src/cli/process-memory.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { connectRequest } from "../../test/support/broker-door.ts";
import { createTlsPair } from "../../test/support/tls-pair.ts";
import { chooseCores, goBeforeAll } from "./cores.ts";
import { freePort, type PeerName, startPeer } from "./peers.ts";
import { type Program, startProgram } from "./program.ts";

export type RelayName = "broker" | PeerName;

export type Relay = {
  readonly name: RelayName;
  readonly pid: number;
  readonly port: number;
  /** Where people sign in. */
  readonly signInPort: number;
  /** What a client of it says first. */
  readonly headFile: string | undefined;
};

export type RunningRelay = Relay & { stop(): Promise<void> };

export type Load = Pick<Program, "line" | "end" | "finish">;

export type SignInPlaces = {
  /** The broker asks it who people are. */
  readonly authSocket: string;
  /** Where a peer's sign-ins are answered by whoever asks the same; without it they are answered nowhere. */
  readonly deskPort?: number;
};

export type Stage = {
  startRelay(name: RelayName, signIns?: string | SignInPlaces): Promise<RunningRelay>;
  startLoad(relay: Relay, way: LoadWay, more: LoadOptions): Load;
  /** Puts a relay and the desktops' side before everything else on the machine, for a round trip's microseconds. */
  hurry(relay: Relay, isHurried: boolean): Promise<void>;
  /** Starts what takes part in the load beside the clients. */
  startBeside(command: readonly string[]): Program;
  close(): Promise<void>;
};

export type LoadWay = "down" | "up" | "echo" | "idle" | "work" | "connect" | "sign";

export type LoadOptions = {
  /** Of `sign`: how many a second. */
  readonly streams: number;
  readonly seconds: number;
  /** Of `sign`: who they are, a line each. */
  readonly peopleFile?: string;
  /** Of `sign`: how many may be under way. */
  readonly atOnce?: number;
};

export async function openStage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "qvd-bench-"));
  goBeforeAll();
  const cores = chooseCores();
  const load = await build(folder, "load");
  const { tlsKey, tlsCertificate } = await createTlsPair();
  writeFileSync(`${folder}/key`, tlsKey, { mode: 0o600 });
  writeFileSync(`${folder}/crt`, tlsCertificate);
  writeFileSync(`${folder}/pem`, tlsCertificate + tlsKey, { mode: 0o600 });
  writeFileSync(`${folder}/head`, connectRequest("NNNN"));
  const desktop = startProgram([...cores.load, await build(folder, "desktop")]);
  const to = Number((await desktop.line())[0]);
  const startRelay: Stage["startRelay"] = async (name, given) => {
    const places = typeof given === "string" ? { authSocket: given } : given;
    if (name === "broker") return await startBroker(folder, to, { on: cores.relay, ...places });
    const [port, signInPort] = [freePort(), freePort()];
    const doors = [
      { port, to },
      { port: signInPort, to: places?.deskPort ?? freePort() },
    ];
    const { pid, end: stop } = await startPeer(name, { folder, pem: `${folder}/pem`, doors }, cores.relay);
    return { name, pid, port, signInPort, headFile: undefined, stop };
  };
  return {
    startRelay,
    startLoad: (relay, way, { streams, seconds, peopleFile, atOnce }) => {
      const head = way === "connect" ? undefined : way === "sign" ? peopleFile : relay.headFile;
      const port = way === "sign" ? relay.signInPort : relay.port;
      return startProgram([
        ...(way === "echo" ? ["chrt", "--fifo", "10"] : []),
        ...[
          ...(way === "sign" ? cores.beside : cores.load),
          load,
          "client",
          `${port}`,
          way,
          `${streams}`,
          `${seconds}`,
        ],
        ...(head === undefined ? [] : [head]),
        ...(atOnce === undefined ? [] : [`${atOnce}`]),
      ]);
    },
    hurry: (relay, isHurried) => hurryAll([relay.pid, desktop.pid], isHurried),
    startBeside: (command) => startProgram([...cores.beside, ...command]),
    close: async () => {
      await desktop.end();
      rmSync(folder, { recursive: true });
    },
  };
}

async function build(folder: string, name: string): Promise<string> {
  const [from, to] = [join(import.meta.dir, `${name}.c`), `${folder}/${name}`];
  await runOk("build the load", ["gcc", "-O2", "-o", to, from, "-lssl", "-lcrypto", "-lpthread"]);
  return to;
}

async function hurryAll(pids: readonly number[], isHurried: boolean): Promise<void> {
  const policy = isHurried ? ["--fifo", "--pid", "10"] : ["--other", "--pid", "0"];
  // All of its threads: a collector that may not run holds up the one that may. One that ends meanwhile
  // fails chrt, so it is asked again.
  for (const pid of pids) {
    const command = ["chrt", "--all-tasks", ...policy, `${pid}`];
    const isSet = async () => (await run(command)).exitCode === 0;
    if (!(await waitFor(isSet, { timeoutMs: 15_000 }))) throw new Error(`${command.join(" ")} fails`);
  }
}

async function startBroker(
  folder: string,
  desktopPort: number,
  { on, authSocket }: { readonly on: readonly string[]; readonly authSocket?: string },
): Promise<RunningRelay> {
  const script = join(import.meta.dir, "../../test/support/broker-process.ts");
  const memory = Object.entries(PROCESS_MEMORY).map((pair) => pair.join("="));
  const program = startProgram([
    ...[...on, "env", ...memory],
    ...[process.execPath, script, `${desktopPort}`, `${folder}/key`, `${folder}/crt`],
    ...(authSocket === undefined ? [] : [authSocket]),
  ]);
  const port = Number((await program.line())[0]);
  const { pid, end: stop } = program;
  return { name: "broker", pid, port, signInPort: port, headFile: `${folder}/head`, stop };
}
