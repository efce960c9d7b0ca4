/**
 * Shows the person's X session to a browser: x11vnc on its display, and the door that the broker comes in by. There
 * only while somebody sits there by browser; the session itself doesn't need it and outlives it.
 *
 *     broker ── rfb ──────► door ──► x11vnc (loopback) ──► nxagent, suspended
 *            ── control ──► door ──► xrandr
 */

import type { ClientParameters } from "../../domain/session/client-parameters.ts";
import { LineSplitter } from "../../lib/lines.ts";
import type { Log } from "../../lib/log.ts";
import { waitFor } from "../../lib/wait.ts";
import {
  type DisplayOrder,
  formatDisplayLine,
  MOST_CONTROL_BYTES,
  parseDisplayOrder,
  type ScreenSize,
} from "../../wire/display/control.ts";
import { DISPLAY_PORT } from "../../wire/display/hello.ts";
import { PatientWriter } from "../../wire/display/patient-writer.ts";
import type { SoundPolicy } from "../../wire/display/sound.ts";
import type { LaunchInput } from "../session/launch.ts";
import { isAlive, listProcesses, signalProcess } from "../session/processes.ts";
import type { BrowserSound } from "./browser-sound.ts";
import { Clipboard } from "./clipboard.ts";
import { type ChannelOwner, DisplayDoor, type DisplayHandlers, type DoorSocket } from "./door.ts";
import { joinScreen } from "./join.ts";
import { planSound } from "./plan-sound.ts";
import type { DisplayChild, DisplayPrograms } from "./programs.ts";
import { giveFile, takeFile } from "./transfer.ts";

export type DisplayDeps = {
  readonly log: Log;
  readonly programs: DisplayPrograms;
  /** Whether that port of this desktop listens, from the kernel's tables. */
  readonly isPortOpen: (port: number) => boolean;
  /** Without it a browser hears nothing. */
  readonly sound?: BrowserSound;
};

export type ShowInput = {
  readonly user: LaunchInput;
  readonly size: ScreenSize;
  /** The only address that may come in, and the key that it has to know. */
  readonly accept: string;
  readonly key: string;
  /** What rules its sound, too. */
  readonly client: ClientParameters;
};

/** Of x11vnc, on loopback. */
const SCREEN_PORT = DISPLAY_PORT + 1;
const SOUNDLESS = "this desktop has no sound";
const UP_MS = 10_000;
const STRAY_MS = 2_000;
/** A hand on the window's edge asks for many sizes; only the last is worth the work. */
const MOST_RESIZES_WAITING = 1;

export class Display {
  readonly #deps: DisplayDeps;
  #server: { readonly uid: number; readonly child: DisplayChild } | undefined;
  #door: DisplayDoor | undefined;
  #seats = 0;
  #onSeat: (isSeated: boolean) => void = () => {};
  #wanted: ScreenSize[] = [];
  #isResizing = false;

  constructor(deps: DisplayDeps) {
    this.#deps = deps;
  }

  /** Has `onSeat` called when a browser begins or ends to look. */
  watch(onSeat: (isSeated: boolean) => void): void {
    this.#onSeat = onSeat;
  }

  /** Undefined when the door is open, else why it isn't. The session must be suspended. May be called again. */
  async show(input: ShowInput): Promise<string | undefined> {
    this.#closeDoor();
    const { uid } = input.user.account;
    if (this.#server !== undefined && this.#server.uid !== uid) this.hide();
    const problem = await this.#serve(input.user);
    if (problem !== undefined) return problem;
    await this.#resize(input.user, input.size);
    this.#door = new DisplayDoor({
      port: DISPLAY_PORT,
      accept: input.accept,
      key: input.key,
      handlers: this.#handlersFor(input),
      log: this.#deps.log,
    });
    try {
      this.#door.start();
      return undefined;
    } catch (error) {
      this.#deps.log.error("display-door-failed", { error });
      return `port ${DISPLAY_PORT} of the desktop is taken`;
    }
  }

  /** Ends what a browser sees. May be called when nothing is shown. */
  hide(): void {
    this.#closeDoor();
    this.#server?.child.kill();
    this.#server = undefined;
  }

  #closeDoor(): void {
    this.#door?.stop();
    this.#door = undefined;
  }

  async #serve(user: LaunchInput): Promise<string | undefined> {
    if (this.#server !== undefined && this.#deps.isPortOpen(SCREEN_PORT)) return undefined;
    this.#server?.child.kill();
    await this.#endStrays(user.account.uid);
    let child: DisplayChild;
    try {
      child = this.#deps.programs.serve(user, SCREEN_PORT);
    } catch {
      return "the image has no x11vnc, which shows a session to a browser";
    }
    const server = { uid: user.account.uid, child };
    this.#server = server;
    let hasEnded = false;
    void child.exited.then(() => {
      hasEnded = true;
      if (this.#server === server) this.#server = undefined;
    });
    const isUp = await waitFor(() => hasEnded || this.#deps.isPortOpen(SCREEN_PORT), {
      timeoutMs: UP_MS,
      everyMs: 5,
    });
    if (isUp && !hasEnded) return undefined;
    this.hide();
    return "x11vnc did not come up; the image may lack it";
  }

  /** One that an agent before us started would hold the port. */
  async #endStrays(uid: number): Promise<void> {
    const strays = listProcesses().filter((one) => one.name === "x11vnc" && one.uid === uid);
    for (const stray of strays) signalProcess(stray, "SIGKILL");
    await waitFor(() => !strays.some(isAlive), { timeoutMs: STRAY_MS, everyMs: 5 });
  }

  #handlersFor({ user, client }: ShowInput): DisplayHandlers {
    const { sound } = this.#deps;
    const policy = planSound(client);
    return {
      rfb: (socket) => this.#seat(socket, user),
      control: (socket) => this.#control(socket, { user, policy }),
      upload: (socket, argument) => takeFile(socket, user, argument),
      download: (socket, argument) => giveFile(socket, user, argument),
      sound: (socket, argument) => sound?.playback(socket, { user, policy, argument }) ?? SOUNDLESS,
      microphone: (socket, argument) => sound?.microphone(socket, { user, policy, argument }) ?? SOUNDLESS,
    };
  }

  #seat(socket: DoorSocket, user: LaunchInput): ChannelOwner {
    let isSeated = false;
    return joinScreen(socket, SCREEN_PORT, {
      onOpen: () => {
        isSeated = true;
        if (this.#seats++ === 0) this.#onSeat(true);
      },
      onClose: () => {
        if (!isSeated) return;
        if (--this.#seats === 0) this.#onSeat(false);
        this.#deps.programs
          .releaseKeys(user)
          .catch((error: unknown) => this.#deps.log.warn("display-keys-not-released", { error }));
      },
    });
  }

  #control(
    socket: DoorSocket,
    { user, policy }: { readonly user: LaunchInput; readonly policy: SoundPolicy },
  ): ChannelOwner {
    const lines = new LineSplitter(MOST_CONTROL_BYTES);
    const writer = new PatientWriter(socket);
    // The door says first that it takes the channel.
    if (this.#deps.sound !== undefined)
      queueMicrotask(() => writer.write(formatDisplayLine({ type: "sound", ...policy })));
    const clipboard = new Clipboard({
      read: () => this.#deps.programs.readClipboard(user),
      write: (text) => this.#deps.programs.writeClipboard(user, text),
      tell: (text) => writer.write(formatDisplayLine({ type: "clipboard", text })),
      log: this.#deps.log,
    });
    const obey = (order: DisplayOrder) => {
      if (order.type === "resize") void this.#resizeInTurn(user, order);
      else if (order.type === "share-clipboard") clipboard.share(order.isShared);
      else clipboard.set(order.text);
    };
    return {
      data: (chunk) => {
        for (const line of lines.push(chunk)) {
          const order = line === null ? undefined : parseDisplayOrder(line);
          if (order !== undefined) obey(order);
        }
      },
      drain: () => writer.drain(),
      close: () => clipboard.share(false),
    };
  }

  /** One after the other; of those that come meanwhile the last. */
  async #resizeInTurn(user: LaunchInput, { width, height }: ScreenSize): Promise<void> {
    this.#wanted = [...this.#wanted, { width, height }].slice(-MOST_RESIZES_WAITING);
    if (this.#isResizing) return;
    this.#isResizing = true;
    for (let size = this.#wanted.shift(); size !== undefined; size = this.#wanted.shift())
      await this.#resize(user, size);
    this.#isResizing = false;
  }

  async #resize(user: LaunchInput, size: ScreenSize): Promise<void> {
    try {
      if (!(await this.#deps.programs.resize(user, size))) this.#deps.log.warn("display-not-resized", size);
    } catch (error) {
      // Another size is a comfort; the session can be seen without.
      this.#deps.log.warn("display-not-resized", { ...size, error });
    }
  }
}
