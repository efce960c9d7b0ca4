/**
 * Sound of the session for who sits at it by browser: a sink that becomes the usual one while somebody listens, and a
 * source that becomes the usual one while somebody's microphone is given. Taken down with the last of them; what
 * plays goes on into silence.
 */

import { describeError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import {
  formatSoundHead,
  parseMicrophoneRate,
  SOUND_RATE,
  type SoundPolicy,
} from "../../wire/display/sound.ts";
import type { ChannelUser } from "../peripherals/as-user.ts";
import { ensureSoundServer, pactl, unloadSound } from "../peripherals/sound-server.ts";
import type { LaunchInput } from "../session/launch.ts";
import type { ChannelOwner, DoorSocket } from "./door.ts";
import { startMicrophone } from "./microphone.ts";
import { chooseCodec, startPlayback } from "./playback.ts";

export type BrowserSoundDeps = {
  readonly log: Log;
  /** The agent's, for what the sound server reads at its start. */
  readonly folder: string;
};

const LISTENED = "qvd_browser";
const SPOKEN = "qvd_browser_voice";
const MICROPHONE = "qvd_browser_microphone";
const FORMAT = ["format=s16le", `rate=${SOUND_RATE}`];

type Way = {
  readonly names: readonly string[];
  readonly load: readonly (readonly string[])[];
};

const PLAYBACK: Way = {
  names: [LISTENED],
  load: [
    [
      "load-module",
      "module-null-sink",
      `sink_name=${LISTENED}`,
      ...FORMAT,
      "channels=2",
      describe("Browser"),
    ],
    ["set-default-sink", LISTENED],
  ],
};
const VOICE: Way = {
  names: [SPOKEN, MICROPHONE],
  load: [
    ["load-module", "module-null-sink", `sink_name=${SPOKEN}`, ...FORMAT, "channels=1", describe("Voice")],
    // Many programs offer no monitors to record from.
    [
      ...["load-module", "module-remap-source", `source_name=${MICROPHONE}`, `master=${SPOKEN}.monitor`],
      "source_properties=device.description=Microphone",
    ],
    ["set-default-source", MICROPHONE],
  ],
};

export class BrowserSound {
  readonly #deps: BrowserSoundDeps;
  /** One thing after the other: modules are loaded and unloaded by their names. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #users = new Map<Way, number>();

  constructor(deps: BrowserSoundDeps) {
    this.#deps = deps;
  }

  /** A text is why not. */
  playback(socket: DoorSocket, { user, policy, argument }: SoundWish): ChannelOwner | string {
    if (policy.playback === "never") return "sound is not allowed here";
    const codec = chooseCodec(argument);
    if (codec === undefined) return "no codec of sound is known to both";
    return this.#open(socket, {
      user: channelUser(user),
      way: PLAYBACK,
      start: (on) => startPlayback(socket, on, { sink: LISTENED, codec }),
    });
  }

  microphone(socket: DoorSocket, { user, policy, argument }: SoundWish): ChannelOwner | string {
    if (policy.microphone === "never") return "a microphone is not allowed here";
    const rate = parseMicrophoneRate(argument);
    if (rate === undefined) return "this is no microphone";
    return this.#open(socket, {
      user: channelUser(user),
      way: VOICE,
      start: (on) => startMicrophone(socket, on, { sink: SPOKEN, rate }),
    });
  }

  #open(socket: DoorSocket, { user, way, start }: Opening): ChannelOwner {
    let owner: ChannelOwner | undefined;
    let isClosed = false;
    void this.#inTurn(async () => {
      const problem = await this.#join(user, way);
      if (isClosed) return;
      if (problem === undefined) owner = start(user);
      else refuse(socket, problem);
    });
    return {
      data: (chunk) => owner?.data(chunk),
      drain: () => owner?.drain?.(),
      close: () => {
        isClosed = true;
        owner?.close();
        void this.#inTurn(() => this.#leave(user, way));
      },
    };
  }

  async #join(user: ChannelUser, way: Way): Promise<string | undefined> {
    const count = this.#users.get(way) ?? 0;
    this.#users.set(way, count + 1);
    if (count > 0) return undefined;
    const problem = await ensureSoundServer(user, this.#deps.folder);
    if (problem !== undefined) return problem;
    // What an agent before this one left.
    await unloadSound(user, way.names);
    for (const words of way.load)
      if (!(await pactl(user, ...words))) return "the session's sound server refused";
    return undefined;
  }

  async #leave(user: ChannelUser, way: Way): Promise<void> {
    const count = this.#users.get(way) ?? 0;
    if (count === 0) return;
    this.#users.set(way, count - 1);
    if (count === 1) await unloadSound(user, way.names);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work).catch((error: unknown) => {
      this.#deps.log.warn("browser-sound-failed", { error: describeError(error) });
    });
    this.#last = done;
    return done;
  }
}

export type SoundWish = {
  readonly user: LaunchInput;
  readonly policy: SoundPolicy;
  readonly argument: string;
};

type Opening = {
  readonly user: ChannelUser;
  readonly way: Way;
  readonly start: (user: ChannelUser) => ChannelOwner;
};

function refuse(socket: DoorSocket, problem: string): void {
  socket.write(formatSoundHead({ problem }));
  socket.end();
}

function channelUser({ account, gid, home }: LaunchInput): ChannelUser {
  return { login: account.login, uid: account.uid, gid, home };
}

function describe(name: string): string {
  return `sink_properties=device.description=${name}`;
}
