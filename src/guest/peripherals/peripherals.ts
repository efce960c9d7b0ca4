/**
 * Sound, printing and shared folders of the session that is prepared last: brought up when its client is connected,
 * taken down when it goes. Level-triggered and one thing after the other. What fails is told, and the session goes on.
 *
 *     prepare(order) ──► the words of nxagent's options line; the plan is kept for an agent to come
 *     follow(state)  ──► connected: sound, printing    any other: down    none: their servers end too
 */

import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { ClientParameters } from "../../domain/session/client-parameters.ts";
import type { XState } from "../../domain/session/x-state.ts";
import { systemTimers } from "../../lib/clock.ts";
import { describeError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { waitFor } from "../../lib/wait.ts";
import type { ChannelName } from "../../wire/guest/messages.ts";
import type { GuestPlaces } from "../places.ts";
import type { ChannelUser } from "./as-user.ts";
import {
  type ChannelPlan,
  channelOptions,
  NO_CHANNELS,
  PRINT_PORT,
  planChannels,
  SLAVE_PORT,
  SOUND_PORT,
} from "./plan-channels.ts";
import { connectPrinting, disconnectPrinting, type PrintingWay } from "./printing.ts";
import { parseSharingFailure } from "./sharing-failure.ts";
import { connectSound, disconnectSound } from "./sound.ts";
import { endSoundServer } from "./sound-server.ts";
import { countTunnels, SoundWatch } from "./sound-watch.ts";

export type PeripheralsDeps = {
  readonly places: GuestPlaces;
  readonly log: Log;
  readonly isPortOpen: (port: number) => boolean;
  /** `text` is a sentence's part, for the trail. */
  readonly onFailure: (channel: ChannelName, text: string) => void;
};

export type ChannelOrder = {
  readonly account: { readonly login: string; readonly uid: number };
  readonly client: ClientParameters;
  readonly slaveKey: string;
  readonly access?: "nx" | "browser";
};

type Kept = { readonly user: ChannelUser; readonly plan: ChannelPlan };

/** nxagent opens its channels' ports just before or after it says that the client is there. */
const PORT_MS = 5_000;

export class Peripherals {
  readonly #deps: PeripheralsDeps;
  #kept: Kept | undefined;
  #state: XState = "none";
  /** What was brought up; another client may have been prepared for since. */
  #up: Kept | undefined;
  #last: Promise<unknown> = Promise.resolve();
  readonly #watch = new SoundWatch({
    timers: systemTimers,
    countTunnels: () => countTunnels(SOUND_PORT),
    onLost: () => {
      if (this.#isMending) return;
      this.#isMending = true;
      this.#last = this.#last.then(() => this.#mendSound());
    },
  });
  #isMending = false;

  constructor(deps: PeripheralsDeps) {
    this.#deps = deps;
    this.#kept = readKept(deps.places.channels);
  }

  /** Before nxagent reads its options. Nothing is opened for a browser. */
  prepare(
    { account, client, slaveKey, access = "nx" }: ChannelOrder,
    { gid, home }: { readonly gid: number; readonly home: string },
  ): readonly (readonly [string, string])[] {
    const { places } = this.#deps;
    const user = { login: account.login, uid: account.uid, gid, home };
    const plan = access === "nx" ? planChannels(client) : NO_CHANNELS;
    this.#kept = { user, plan };
    try {
      mkdirSync(places.folder, { recursive: true, mode: 0o755 });
      writeFileSync(places.channels, JSON.stringify(this.#kept), { mode: 0o600 });
      // One that is right may be read just now.
      if (!plan.isSharing || !isKey(places.slaveKey, slaveKey, user.uid))
        rmSync(places.slaveKey, { force: true });
      if (plan.isSharing && !existsSync(places.slaveKey)) {
        writeFileSync(places.slaveKey, slaveKey, { mode: 0o400 });
        chownSync(places.slaveKey, user.uid, user.gid);
      }
    } catch (error) {
      this.#fail("sharing", describeError(error));
      return [];
    }
    if (plan.printing === "unserved")
      this.#fail(
        "printing",
        "the client offers its printers by another way than CUPS, SMB or its slave channel, or by that while it is closed",
      );
    return channelOptions(plan);
  }

  /** May be called with the state that is known already. */
  follow(state: XState): void {
    if (state === this.#state) return;
    this.#state = state;
    if (state !== "connected") this.#watch.stop();
    this.#last = this.#last.then(() => this.#settle());
  }

  /** A line of nxagent's log, where the sharing's helper speaks as well. */
  hear(line: string): void {
    const text = parseSharingFailure(line);
    if (text !== undefined) this.#fail("sharing", text);
  }

  async #settle(): Promise<void> {
    const kept = this.#kept;
    if (kept === undefined) return;
    if (this.#up !== undefined && (this.#state !== "connected" || this.#up !== kept)) {
      const gone = this.#up;
      this.#up = undefined;
      await this.#takeDown(gone);
    }
    if (this.#state === "connected") await this.#bringUp(kept);
    else if (this.#state === "none") await this.#quietly(() => endSoundServer(kept.user));
  }

  async #bringUp(kept: Kept): Promise<void> {
    const { user, plan } = kept;
    this.#up = kept;
    if (plan.sound !== "off") await this.#attempt("sound", SOUND_PORT, () => this.#connectSound(kept));
    const { printing } = plan;
    if (!isServed(printing)) return;
    const folder = `${this.#deps.places.folder}/cups`;
    await this.#attempt("printing", printing === "slave" ? SLAVE_PORT : PRINT_PORT, () =>
      connectPrinting(user, { folder, way: printing }),
    );
  }

  async #takeDown({ user, plan }: Kept): Promise<void> {
    // At the session's end its server goes too; one whose tunnel has just broken may be slow to answer.
    if (plan.sound !== "off" && this.#state !== "none") await this.#quietly(() => disconnectSound(user));
    if (isServed(plan.printing)) await this.#quietly(() => disconnectPrinting(user));
  }

  async #attempt(channel: ChannelName, port: number, work: () => Promise<string | undefined>): Promise<void> {
    const isOpen = () => this.#state !== "connected" || this.#deps.isPortOpen(port);
    try {
      const isThere = await waitFor(isOpen, { timeoutMs: PORT_MS, everyMs: 20 });
      if (this.#state !== "connected") return;
      const problem = isThere ? await work() : "nxagent did not open the channel";
      // What a client that left meanwhile has broken is no news.
      if (problem !== undefined && this.#state === "connected") this.#fail(channel, problem);
      else this.#deps.log.info("channel-connected", { channel });
    } catch (error) {
      this.#fail(channel, describeError(error));
    }
  }

  /** Watched from when it is there: one that never was is told of, and tried again with the next client. */
  async #connectSound({ user, plan }: Kept): Promise<string | undefined> {
    const hasMicrophone = plan.sound === "both-ways";
    const isWanted = () => this.#state === "connected";
    const { folder } = this.#deps.places;
    const problem = await connectSound(user, { folder, hasMicrophone, isWanted });
    if (problem === undefined && this.#state === "connected") this.#watch.start(hasMicrophone ? 2 : 1);
    return problem;
  }

  async #mendSound(): Promise<void> {
    const { log } = this.#deps;
    try {
      if (this.#state !== "connected" || this.#up === undefined) return;
      log.info("channel-lost", { channel: "sound" });
      const problem = await this.#connectSound(this.#up);
      if (problem !== undefined) log.warn("channel-not-mended", { channel: "sound", problem });
    } catch (error) {
      log.warn("channel-not-mended", { channel: "sound", problem: describeError(error) });
    } finally {
      this.#isMending = false;
    }
  }

  async #quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#deps.log.warn("channel-not-taken-down", { error });
    }
  }

  #fail(channel: ChannelName, text: string): void {
    this.#deps.log.warn("channel-failed", { channel, text });
    this.#deps.onFailure(channel, text);
  }
}

function isServed(printing: ChannelPlan["printing"]): printing is PrintingWay {
  return printing !== "off" && printing !== "unserved";
}

/** In the agent's own folder, so it is no link. */
function isKey(path: string, slaveKey: string, uid: number): boolean {
  if (!existsSync(path)) return false;
  const { mode, uid: owner } = statSync(path);
  return owner === uid && (mode & 0o077) === 0 && readFileSync(path, "utf8") === slaveKey;
}

/** Root's own words of before; none, or unreadable, means that no channel is known. */
function readKept(path: string): Kept | undefined {
  try {
    const value: Kept = JSON.parse(readFileSync(path, "utf8"));
    return Number.isInteger(value.user?.uid) && value.plan !== undefined ? value : undefined;
  } catch {
    // The first agent of this boot.
    return undefined;
  }
}
