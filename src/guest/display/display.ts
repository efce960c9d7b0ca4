/**
 * Shows the person's X session to a browser: a server of its display, and the door that the broker comes in by. There
 * only while somebody sits there by browser; the session itself doesn't need it and outlives it.
 *
 *     broker ── rfb ──────► door ──► screen server ──► nxagent, suspended
 *            └─ of a session on Xvnc the door is but its seat: the screen's bytes go between Xvnc and broker
 *            ── control ──► door ──► xrandr
 */

import type { ClientParameters } from "../../domain/session/client-parameters.ts";
import { LineSplitter } from "../../lib/lines.ts";
import type { Log } from "../../lib/log.ts";
import {
  type DisplayOrder,
  fitScreen,
  formatDisplayLine,
  MOST_CONTROL_BYTES,
  NX_SCREEN,
  parseDisplayOrder,
  type ScreenSize,
} from "../../wire/display/control.ts";
import { DISPLAY_DIRECT, DISPLAY_PORT } from "../../wire/display/hello.ts";
import { PatientWriter } from "../../wire/display/patient-writer.ts";
import type { SoundPolicy } from "../../wire/display/sound.ts";
import type { LaunchInput } from "../session/launch.ts";
import type { BrowserSound } from "./browser-sound.ts";
import { Clipboard } from "./clipboard.ts";
import { type ChannelOwner, DisplayDoor, type DisplayHandlers, type DoorSocket } from "./door.ts";
import { type JoinEvents, joinScreen, keepSeat } from "./join.ts";
import { planSound } from "./plan-sound.ts";
import type { DisplayPrograms } from "./programs.ts";
import type { ScreenServer } from "./screen-server.ts";
import { giveFile, takeFile } from "./transfer.ts";

export type DisplayDeps = {
  readonly log: Log;
  readonly programs: DisplayPrograms;
  /** A text says why there is none. */
  readonly openServer: (user: LaunchInput) => Promise<ScreenServer | string>;
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
  /** Of a session whose X server has viewers of its own; else one is opened. */
  readonly server?: ScreenServer;
};

const SOUNDLESS = "this desktop has no sound";
/** A hand on the window's edge asks for many sizes; only the last is worth the work. */
const MOST_RESIZES_WAITING = 1;

export class Display {
  readonly #deps: DisplayDeps;
  #server: ScreenServer | undefined;
  #door: DisplayDoor | undefined;
  /** Tells a server that comes up late that it is too late. */
  #hides = 0;
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
    const before = this.#server;
    const server = input.server === undefined ? await this.#serve(input.user) : this.#take(input.server);
    if (typeof server === "string") return server;
    await this.#resize(input.user, input.size, input.server === undefined && server !== before);
    this.#door = new DisplayDoor({
      port: DISPLAY_PORT,
      accept: input.accept,
      key: input.key,
      handlers: this.#handlersFor(input, server),
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
    this.#hides++;
    this.#server?.end();
    this.#server = undefined;
  }

  #closeDoor(): void {
    this.#door?.stop();
    this.#door = undefined;
  }

  #take(server: ScreenServer): ScreenServer {
    this.hide();
    this.#server = server;
    return server;
  }

  async #serve(user: LaunchInput): Promise<ScreenServer | string> {
    const { uid } = user.account;
    if (this.#server?.uid === uid && this.#server.isUp()) return this.#server;
    this.hide();
    const hides = this.#hides;
    try {
      const server = await this.#deps.openServer(user);
      if (typeof server === "string") return server;
      if (hides === this.#hides) {
        this.#server = server;
        return server;
      }
      server.end();
      return "the session is not to be shown any longer";
    } catch (error) {
      this.#deps.log.error("display-server-failed", { error });
      return "what shows a session to a browser could not be started";
    }
  }

  #handlersFor(input: ShowInput, server: ScreenServer): DisplayHandlers {
    const { sound } = this.#deps;
    const { user, client } = input;
    const policy = planSound(client);
    const most = input.server === undefined ? NX_SCREEN : undefined;
    return {
      rfb: (socket, argument) =>
        this.#seat(socket, server, argument === DISPLAY_DIRECT.argument && server.key !== undefined),
      control: (socket) => this.#control(socket, { user, policy, most }),
      upload: (socket, argument) => takeFile(socket, user, argument),
      download: (socket, argument) => giveFile(socket, user, argument),
      sound: (socket, argument) => sound?.playback(socket, { user, policy, argument }) ?? SOUNDLESS,
      microphone: (socket, argument) => sound?.microphone(socket, { user, policy, argument }) ?? SOUNDLESS,
    };
  }

  #seat(socket: DoorSocket, server: ScreenServer, isDirect: boolean): ChannelOwner {
    let isSeated = false;
    const events: JoinEvents = {
      onOpen: () => {
        isSeated = true;
        if (this.#seats++ === 0) this.#onSeat(true);
      },
      onClose: () => {
        if (!isSeated) return;
        if (--this.#seats === 0) this.#onSeat(false);
        server
          .releaseKeys()
          .catch((error: unknown) => this.#deps.log.warn("display-keys-not-released", { error }));
      },
    };
    return isDirect ? keepSeat(socket, events) : joinScreen(socket, server, events);
  }

  #control(
    socket: DoorSocket,
    { user, policy, most }: Pick<ShowInput, "user"> & { policy: SoundPolicy; most: ScreenSize | undefined },
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
      if (order.type === "resize") void this.#resizeInTurn(user, fitScreen(order, most));
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

  async #resize(user: LaunchInput, size: ScreenSize, hasNewcomer = false): Promise<void> {
    try {
      const isDone = await this.#deps.programs.resize(user, size, hasNewcomer);
      if (!isDone) this.#deps.log.warn("display-not-resized", size);
    } catch (error) {
      // Another size is a comfort; the session can be seen without.
      this.#deps.log.warn("display-not-resized", { ...size, error });
    }
  }
}
