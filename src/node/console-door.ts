/**
 * The console door: where this box's brokers come to the screens of its virtual machines. Those are unix sockets that
 * QEMU serves VNC on, in folders that only root may enter; the door is one more, for the brokers' group.
 *
 *     broker ── QVD-DISPLAY/1 <key> rfb <vm> ──► door ──► vms/<vm>/machine/vnc
 *
 * The key has to be one that the database knows for that machine now: of an administrator's visit, or of its user's own
 * session at a console that the OSF offers. So whoever has a broker has no console by that. It is asked again while a
 * console is open, and when somebody else comes to one. The hello is all that is read here; what follows are bytes.
 */

import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Db } from "../db/client.ts";
import { mayOpenConsole } from "../db/queries/visits.ts";
import { type NodeId, parseId, type VmId } from "../domain/ids.ts";
import type { Log } from "../lib/log.ts";
import { Flow } from "../wire/display/flow.ts";
import {
  DISPLAY_ACCEPTED,
  formatDisplayRefusal,
  MOST_HELLO_BYTES,
  parseDisplayHello,
} from "../wire/display/hello.ts";

export type ConsoleDoorDeps = {
  readonly db: Db;
  readonly nodeId: NodeId;
  /** Of the door. */
  readonly path: string;
  /** Of a machine's screen. */
  readonly screenOf: (vmId: VmId) => string;
  readonly log: Log;
};

const HELLO_MS = 5_000;
const LOOK_EVERY_MS = 5_000;
/** Each costs two descriptors of the node's. */
const MOST_OPEN = 128;
/** Of RFB that comes before QEMU answered: a client's first words are some 20 bytes. */
const MOST_EARLY_BYTES = 64 * 1024;
const LF = 0x0a;

type BrokerSocket = Bun.Socket<Caller>;

type Opened = { readonly vmId: VmId; readonly key: string };

/** One connection of a broker's. */
class Caller {
  readonly #deps: ConsoleDoorDeps;
  readonly #socket: BrokerSocket;
  readonly #look: () => Promise<void>;
  readonly #timer: ReturnType<typeof setTimeout>;
  #hello = "";
  #opened: Opened | undefined;
  #isGreeted = false;
  #early: Uint8Array[] = [];
  #earlyBytes = 0;
  #isClosed = false;
  #screen: Bun.Socket<undefined> | undefined;
  #toScreen: Flow | undefined;
  #toBroker: Flow | undefined;

  constructor(deps: ConsoleDoorDeps, socket: BrokerSocket, look: () => Promise<void>) {
    this.#deps = deps;
    this.#look = look;
    this.#socket = socket;
    this.#timer = setTimeout(() => socket.terminate(), HELLO_MS);
  }

  /** What it has shown it, or is about to. */
  get opened(): Opened | undefined {
    return this.#opened;
  }

  data(chunk: Uint8Array): void {
    if (this.#isGreeted) return void this.#forward(chunk);
    const end = chunk.indexOf(LF);
    this.#hello += Buffer.from(end === -1 ? chunk : chunk.subarray(0, end)).toString("latin1");
    if (this.#hello.length > MOST_HELLO_BYTES) return void this.#socket.terminate();
    if (end === -1) return;
    this.#isGreeted = true;
    if (end + 1 < chunk.length) this.#forward(chunk.subarray(end + 1));
    this.#open().catch((error: unknown) => {
      this.#deps.log.warn("console-not-opened", { error });
      this.#refuse("the console can't be reached");
    });
  }

  drain(): void {
    this.#toBroker?.drain();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#isClosed = true;
    this.#screen?.terminate();
  }

  async #open(): Promise<void> {
    const { db, nodeId, screenOf, log } = this.#deps;
    const hello = parseDisplayHello(this.#hello);
    const vmId = hello?.channel === "rfb" ? parseId<VmId>(hello.argument) : undefined;
    if (hello === undefined || vmId === undefined) return void this.#socket.terminate();
    if (!(await mayOpenConsole(db, { nodeId, vmId, key: hello.key }))) {
      log.warn("console-refused", { vmId });
      return this.#refuse("nobody may open this console with that key");
    }
    this.#opened = { vmId, key: hello.key };
    // Whoever has lost the right to be there is gone before the next one sees anything.
    await this.#look();
    if (this.#isClosed) return;
    const screen = await Bun.connect<undefined>({ unix: screenOf(vmId), socket: this.#screenHandlers() });
    // A broker that left meanwhile closed nothing: there was no screen yet.
    if (this.#isClosed) return void screen.terminate();
    clearTimeout(this.#timer);
    log.info("console-opened", { vmId });
  }

  #screenHandlers() {
    return {
      open: (screen: Bun.Socket<undefined>) => {
        if (this.#isClosed) return;
        this.#screen = screen;
        this.#socket.write(`${DISPLAY_ACCEPTED}\n`);
        this.#toScreen = new Flow(this.#socket, screen);
        this.#toBroker = new Flow(screen, this.#socket);
        for (const chunk of this.#early.splice(0)) this.#toScreen.send(chunk);
      },
      data: (_screen: Bun.Socket<undefined>, chunk: Uint8Array) => this.#toBroker?.send(chunk),
      drain: () => this.#toScreen?.drain(),
      close: () => void this.#socket.end(),
      // A failing socket is closed, which says so.
      error: () => {},
    };
  }

  #forward(chunk: Uint8Array): void {
    if (this.#toScreen !== undefined) return void this.#toScreen.send(chunk);
    this.#early.push(Uint8Array.from(chunk));
    this.#earlyBytes += chunk.length;
    if (this.#earlyBytes > MOST_EARLY_BYTES) this.#socket.terminate();
  }

  #refuse(reason: string): void {
    if (this.#isClosed) return;
    this.#socket.write(formatDisplayRefusal(reason));
    this.#socket.end();
  }
}

export class ConsoleDoor {
  readonly #deps: ConsoleDoorDeps;
  readonly #open = new Set<BrokerSocket>();
  #listener: Bun.UnixSocketListener<Caller> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(deps: ConsoleDoorDeps) {
    this.#deps = deps;
  }

  /** Takes the place of a socket that an earlier process left. The folder's group is the socket's. */
  start(): void {
    // The box prepares it with its group; a node by itself has its own.
    mkdirSync(dirname(this.#deps.path), { recursive: true, mode: 0o750 });
    rmSync(this.#deps.path, { force: true });
    this.#listener = Bun.listen<Caller>({
      unix: this.#deps.path,
      socket: {
        open: (socket) => {
          socket.data = new Caller(this.#deps, socket, () => this.#look());
          this.#open.add(socket);
          if (this.#open.size > MOST_OPEN) socket.terminate();
        },
        data: (socket, chunk) => socket.data.data(chunk),
        drain: (socket) => socket.data.drain(),
        close: (socket) => {
          this.#open.delete(socket);
          socket.data.close();
        },
        // A failing socket is closed, which is when its owner learns of it.
        error: () => {},
      },
    });
    chmodSync(this.#deps.path, 0o660);
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS);
  }

  /** Whether somebody is at this machine's screen by this door. */
  isOpen(vmId: VmId): boolean {
    return [...this.#open].some((socket) => socket.data.opened?.vmId === vmId);
  }

  /** Closes the consoles whose keys the database knows no more. One that can't be asked closes none. Never rejects. */
  async #look(): Promise<void> {
    const { db, nodeId, log } = this.#deps;
    await Promise.all(
      [...this.#open].map(async (socket) => {
        const { opened } = socket.data;
        if (opened === undefined) return;
        try {
          if (await mayOpenConsole(db, { nodeId, ...opened })) return;
          log.info("console-closed", { vmId: opened.vmId });
          socket.terminate();
        } catch (error) {
          log.debug("console-not-looked-at", { vmId: opened.vmId, error });
        }
      }),
    );
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#listener?.stop(true);
    this.#listener = undefined;
    for (const socket of [...this.#open]) socket.terminate();
    rmSync(this.#deps.path, { force: true });
  }
}
