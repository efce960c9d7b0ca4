/**
 * The client's half of a session's channels: Debian's nxproxy with its media, cups and slave options, a PulseAudio
 * with a sink that is recorded, a CUPS that prints into a file, and an sftp-server behind a request on the slave port.
 * All run as an account without rights, from a folder that is gone afterwards.
 */

import { chmod, chown, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { startWindowManager } from "../../bench/window-manager.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { removeLeftDisplay } from "../support/left-display.ts";
import { prepareSmbPrinters } from "./smb-printers.ts";

/** Debian's `nobody`. */
const UID = 65534;
const QUIET: ["ignore", "ignore", "ignore"] = ["ignore", "ignore", "ignore"];

/** Below those that the kernel gives to connections: one that has just ended would keep a server from its port. */
export type ClientPorts = {
  readonly media: number;
  readonly cups: number;
  readonly slave: number;
  /** Where a Windows PC shares its printers; left out where there is none. */
  readonly smb?: number;
};

export type ConnectingClient = { readonly said: () => string; readonly child: Bun.Subprocess };

export type ShareAnswer = { readonly status: number; readonly head: string; close(): void };

export class ClientSide {
  readonly folder: string;
  readonly #ports: ClientPorts;
  readonly #screen: string;
  readonly #children = new Set<Bun.Subprocess>();

  private constructor(folder: string, ports: ClientPorts, screen: string) {
    this.folder = folder;
    this.#ports = ports;
    this.#screen = screen;
  }

  static async start(ports: ClientPorts, screen: string): Promise<ClientSide> {
    const folder = await mkdtemp("/var/tmp/qvd-client-");
    for (const part of ["run", "printed", "cups", "cups/root", "cups/cache", "cups/spool", "cups/state"])
      await mkdir(`${folder}/${part}`);
    await runOk("giving the folder to nobody", ["chown", "-R", `${UID}:${UID}`, folder]);
    await chmod(folder, 0o755);
    await chmod(`${folder}/run`, 0o700);
    // Root's, or CUPS would not run it.
    await mkdir(`${folder}/cups-bin/backend`, { recursive: true });
    for (const part of ["daemon", "filter"])
      await symlink(`/usr/lib/cups/${part}`, `${folder}/cups-bin/${part}`);
    await writeFile(`${folder}/cups-bin/backend/keep`, PRINTER, { mode: 0o755 });
    const client = new ClientSide(folder, ports, screen);
    // Without repeating keys: a busy machine may be slow to let one go.
    const xvfb = ["Xvfb", screen, "-r", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"];
    const isUp = async () => (await client.#run(["xset", "q"])).exitCode === 0;
    if (!(await isUp())) await removeLeftDisplay(screen);
    client.#spawn(xvfb);
    if (!(await waitFor(isUp, { timeoutMs: 60_000, everyMs: 50 }))) throw new Error("Xvfb did not come up");
    await startWindowManager((command) => client.#spawn(command), `${folder}/run`);
    await client.#startSound();
    await client.#startPrinters();
    return client;
  }

  /** Debian's nxproxy with those channels, as a stock client starts it. */
  connect(host: string, channels: readonly (keyof ClientPorts)[]): Bun.Subprocess {
    const words = channels.map((channel) => `${channel}=${this.#ports[channel]}`);
    return this.#spawn(["nxproxy", "-S", ...words, `${host}:100`]);
  }

  /** `qvd connect` from the sources under test, as its person; `said` is what it told them so far. */
  qvdConnect(words: readonly string[], password: string): ConnectingClient {
    const entry = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
    const child = Bun.spawn([...AS_NOBODY, process.execPath, entry, "connect", ...words], {
      env: { ...this.#environment(), CUPS_SERVER: `127.0.0.1:${this.#ports.cups}` },
      cwd: "/",
      stdio: [Buffer.from(`${password}\n`), "ignore", "pipe"],
    });
    this.#children.add(child);
    let said = "";
    void (async () => {
      for await (const bytes of child.stderr) said += Buffer.from(bytes).toString();
    })();
    return { said: () => said, child };
  }

  /** Answers the desktop's requests on the slave channel as the Perl client for Windows does; two printers, into files. */
  async offerPrinters(): Promise<void> {
    await writeFile(`${this.folder}/slave-server`, SLAVE_SERVER.replace("FOLDER", this.folder), {
      mode: 0o755,
    });
  }

  async stopProxy(proxy: Bun.Subprocess): Promise<void> {
    proxy.kill("SIGKILL");
    await proxy.exited;
    this.#children.delete(proxy);
  }

  /** What the client's loudspeaker plays meanwhile, as 16-bit mono at 8 kHz. */
  async record(ms: number): Promise<Int16Array> {
    const file = `${this.folder}/run/recorded`;
    const words = ["--format=s16le", "--rate=8000", "--channels=1", "--latency-msec=20"];
    const command = `exec timeout ${ms / 1000} parec -d loudspeaker.monitor ${words.join(" ")} > ${file}`;
    await this.#run(["sh", "-c", command], ms + 30_000);
    const bytes = await readFile(file);
    return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
  }

  /** The printers of a Windows PC, once they are asked for. */
  async startSmbPrinters(port: number): Promise<void> {
    const server = await prepareSmbPrinters(this.folder, port);
    await runOk("giving Samba's folder to nobody", ["chown", "-R", `${UID}:${UID}`, `${this.folder}/smb`]);
    // Its many processes end with the one that has their space of process numbers, and that with `unshare`: the wish to
    // do so is lost where a process changes its user, so it is said again.
    this.#spawn(["setpriv", "--pdeathsig=KILL", ...server], ["unshare", "--pid", "--fork"]);
    const ask = ["smbclient", "-L", "127.0.0.1", "-p", `${port}`, "-g", "-N"];
    const isUp = async () => (await this.#run(ask)).stdout.includes("Printer|Office|");
    if (!(await waitFor(isUp, { timeoutMs: 60_000, everyMs: 100 })))
      throw new Error("the client's Samba did not start");
  }

  /** Waits for a printed file that holds the text. */
  async awaitPrinted(text: string, timeoutMs: number): Promise<boolean> {
    const command = ["sh", "-c", `grep -qsF "$0" ${this.folder}/printed/*`, text];
    const isThere = async () => (await this.#run(command)).exitCode === 0;
    return (await waitFor(isThere, { timeoutMs, everyMs: 100 })) === true;
  }

  /**
   * Sends a request on the slave port; after a 101 the folder is served by a real sftp-server. Any other answer comes when the
   * desktop has ended the connection: nxproxy gives the number of one that its client ends to the next at once, which nxagent
   * refuses while it has it still ("Can't open a new channel over an existing ID").
   */
  async share(head: string, folder: string): Promise<ShareAnswer> {
    const socket = connect({ host: "127.0.0.1", port: this.#ports.slave });
    socket.on("error", () => {}); // Its end is seen by whoever waits for the answer.
    socket.write(head);
    const answered = Promise.withResolvers<string>();
    let text = "";
    let server: Bun.Subprocess<"pipe", "pipe", "ignore"> | undefined;
    socket.on("close", () => {
      answered.resolve(text.slice(0, text.indexOf("\r\n\r\n") + 4));
      server?.kill("SIGKILL");
    });
    socket.on("data", (chunk) => {
      if (server !== undefined) return pass(server, Buffer.from(chunk));
      text += Buffer.from(chunk).toString("latin1");
      const end = text.indexOf("\r\n\r\n") + 4;
      if (end < 4) return;
      if (!text.startsWith("HTTP/1.1 101")) return;
      answered.resolve(text.slice(0, end));
      const command = [...AS_NOBODY, "/usr/lib/openssh/sftp-server", "-e"];
      const child = Bun.spawn(command, { cwd: folder, stdin: "pipe", stdout: "pipe", stderr: "ignore" });
      server = child;
      this.#children.add(child);
      // The desktop speaks at once, so its first words may come with the answer.
      pass(child, Buffer.from(text.slice(end), "latin1"));
      void (async () => {
        for await (const bytes of child.stdout) socket.write(bytes);
        socket.destroy();
      })();
    });
    const timer = setTimeout(() => socket.destroy(), 40_000);
    const answer = await answered.promise;
    clearTimeout(timer);
    return { status: Number(answer.slice(9, 12)), head: answer, close: () => socket.destroy() };
  }

  /**
   * Asks on the slave port for a folder of the desktop, and has Debian's sftp carry out `commands` in what comes;
   * the desktop's answer and what sftp said, or why it ended.
   */
  async browse(head: string, commands: string): Promise<{ readonly head: string; readonly said: string }> {
    const door = `${this.folder}/sftp-door`;
    await writeFile(door, SFTP_DOOR, { mode: 0o755 });
    await writeFile(`${this.folder}/head`, head);
    await writeFile(`${this.folder}/batch`, commands, { mode: 0o644 });
    const env = { ...this.#environment(), QVD_FOLDER: this.folder, QVD_PORT: `${this.#ports.slave}` };
    const command = [...AS_NOBODY, "sftp", "-b", `${this.folder}/batch`, "-D", door];
    const { stdout, stderr } = await run(command, { env, cwd: "/", timeoutMs: 60_000 });
    return { head: await readFile(`${this.folder}/run/answer`, "utf8"), said: stdout + stderr };
  }

  /** A folder of the client's person. */
  async makeFolder(name: string): Promise<string> {
    await mkdir(`${this.folder}/${name}`);
    await chown(`${this.folder}/${name}`, UID, UID);
    return `${this.folder}/${name}`;
  }

  async stop(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    await Promise.all([...this.#children].map((child) => child.exited));
    await rm(this.folder, { recursive: true, force: true });
  }

  async #startSound(): Promise<void> {
    const file = `${this.folder}/client.pa`;
    await writeFile(
      file,
      `load-module module-native-protocol-unix
load-module module-native-protocol-tcp auth-anonymous=1 listen=127.0.0.1 port=${this.#ports.media}
load-module module-null-sink sink_name=loudspeaker
load-module module-sine-source source_name=microphone frequency=880
set-default-source microphone
`,
      { mode: 0o644 },
    );
    const words = ["--daemonize=no", "--exit-idle-time=-1", "--high-priority=no", "--realtime=no"];
    this.#spawn(["pulseaudio", "-n", "-F", file, ...words]);
    const isUp = async () => (await this.#run(["pactl", "info"])).exitCode === 0;
    if (!(await waitFor(isUp, { timeoutMs: 60_000, everyMs: 50 })))
      throw new Error("the client's PulseAudio did not start");
  }

  /** Two printers that write into files; the second is the client's usual one. */
  async #startPrinters(): Promise<void> {
    const cups = `${this.folder}/cups`;
    const all = "Order allow,deny\nAllow all\n";
    await writeFile(
      `${cups}/cupsd.conf`,
      `Listen 127.0.0.1:${this.#ports.cups}\nBrowsing No\nDefaultAuthType None\n<Location />\n${all}</Location>\n<Policy default>\n<Limit All>\n${all}</Limit>\n</Policy>\n`,
    );
    const places = { ServerRoot: "root", CacheDir: "cache", RequestRoot: "spool", StateDir: "state" };
    const lines = Object.entries(places).map(([name, part]) => `${name} ${cups}/${part}\n`);
    await writeFile(
      `${cups}/cups-files.conf`,
      `${lines.join("")}ServerBin ${this.folder}/cups-bin\nErrorLog ${cups}/error_log\nAccessLog ${cups}/access_log\nUser ${UID}\nGroup ${UID}\n`,
    );
    await chown(`${cups}/cupsd.conf`, UID, UID);
    this.#spawn(["cupsd", "-f", "-c", `${cups}/cupsd.conf`, "-s", `${cups}/cups-files.conf`]);
    const at = ["-h", `127.0.0.1:${this.#ports.cups}`];
    const isUp = async () => (await this.#run(["lpstat", ...at, "-r"])).stdout.includes("is running");
    if (!(await waitFor(isUp, { timeoutMs: 60_000, everyMs: 50 })))
      throw new Error("the client's CUPS did not start");
    for (const name of ["hall", "desk"]) {
      const device = `keep:${this.folder}/printed/${name}`;
      const added = await this.#run(["lpadmin", ...at, "-p", name, "-E", "-v", device, "-m", "raw"]);
      if (added.exitCode !== 0) throw new Error(`the client's printer ${name} was not made: ${added.stderr}`);
    }
    await this.#run(["lpadmin", ...at, "-d", "desk"]);
  }

  #environment(): Record<string, string> {
    return {
      PATH: "/usr/bin:/bin:/usr/sbin:/sbin",
      HOME: `${this.folder}/run`,
      XDG_RUNTIME_DIR: `${this.folder}/run`,
      DISPLAY: this.#screen,
      NX_CLIENT: "/bin/false",
      NX_SLAVE_CMD: `${this.folder}/slave-server`,
      LC_ALL: "C",
    };
  }

  #spawn(command: readonly string[], within: readonly string[] = []): Bun.Subprocess {
    const child = Bun.spawn([...within, ...AS_NOBODY, ...command], {
      env: this.#environment(),
      cwd: "/",
      stdio: QUIET,
    });
    this.#children.add(child);
    return child;
  }

  #run(command: readonly string[], timeoutMs = 30_000) {
    return run([...AS_NOBODY, ...command], { env: this.#environment(), cwd: "/", timeoutMs });
  }
}

function pass(to: Bun.Subprocess<"pipe", "pipe", "ignore">, bytes: Uint8Array): void {
  to.stdin.write(bytes);
  to.stdin.flush();
}

/** A printer of CUPS whose paper is a file: where, says its address. What is printed is its sixth argument or its input. */
const PRINTER = `#!/bin/sh
[ $# -gt 0 ] || exit 0
cat "\${6:--}" >> "\${DEVICE_URI#keep:}"
`;
/** What sftp takes for its server: the request, its answer into a file, then the connection. */
const SFTP_DOOR = `#!/usr/bin/python3
import os, socket, threading
folder, line = os.environ["QVD_FOLDER"], socket.create_connection(("127.0.0.1", int(os.environ["QVD_PORT"])))
line.sendall(open(folder + "/head", "rb").read())
answer = b""
while not answer.endswith(b"\\r\\n\\r\\n"):
    byte = line.recv(1)
    if not byte: break
    answer += byte
open(folder + "/run/answer", "wb").write(answer)
def up():
    while piece := os.read(0, 65536): line.sendall(piece)
    line.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while piece := line.recv(65536): os.write(1, piece)
`;
/** Written after chapters 4.2 and 4.9 of QVD 4's protocol: the real one runs on Windows alone. It stays for the next request. */
const SLAVE_SERVER = `#!/usr/bin/python3
import json, sys
into, out = sys.stdin.buffer, sys.stdout.buffer
def say(status, body=b""):
    out.write(b"HTTP/1.1 %s\\r\\nContent-Type: application/json-simplerpc\\r\\nContent-Length: %d\\r\\n\\r\\n" % (status, len(body)) + body)
    out.flush()
while first := into.readline():
    method, target, _ = first.decode().split(" ", 2)
    size = 0
    while (line := into.readline().strip()):
        if line.lower().startswith(b"content-length:"): size = int(line.split(b":")[1])
    job = into.read(size)
    part = target.split("/")
    if (method, target) == ("GET", "/printer"):
        printers = [{"qvd_id": "p1", "name": "Office", "color": 1}, {"qvd_id": "p2", "name": "Desk", "default": 1}]
        say(b"200 OK", json.dumps({"Printers": printers}).encode() + b"\\n\\r\\n")
    elif method == "POST" and part[1] == "printer" and part[3] == "printjob" and part[2] in ("p1", "p2"):
        out.write(b"HTTP/1.1 102 Processing\\r\\n\\r\\n")
        open("FOLDER/printed/" + part[2], "ab").write(job)
        say(b"200 OK")
    else: say(b"404 Not Found")
`;
const AS_NOBODY = ["setpriv", `--reuid=${UID}`, `--regid=${UID}`, "--clear-groups"];

/** The strongest pitch among 100 to 1500 Hz in a recording at 8 kHz, and how loud it is of 32767. */
export function hearPitch(samples: Int16Array): { readonly hertz: number; readonly loudness: number } {
  let best = { hertz: 0, loudness: 0 };
  const size = Math.min(samples.length, 8000);
  if (size === 0) return best;
  const part = samples.subarray(samples.length - size);
  for (let hertz = 100; hertz <= 1500; hertz += 5) {
    let [real, imaginary] = [0, 0];
    part.forEach((value, at) => {
      real += value * Math.cos((2 * Math.PI * hertz * at) / 8000);
      imaginary += value * Math.sin((2 * Math.PI * hertz * at) / 8000);
    });
    const loudness = (2 * Math.hypot(real, imaginary)) / size;
    if (loudness > best.loudness) best = { hertz, loudness };
  }
  return best;
}
