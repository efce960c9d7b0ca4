/**
 * What a desktop may say to the PC's sound server. PulseAudio gives whoever it lets in everything: to listen, to load
 * modules (which write files and open ports), to see and move what other programs play. A desktop that was given the
 * loudspeaker may play, and set the volume of what it plays itself; with the microphone it may record from the
 * source that is the usual one. All else is answered with "access denied". PipeWire speaks the same.
 */

import { formatCommand, PulseFrames, type PulsePiece } from "./pulse-frames.ts";
import { isUsualSource, namesAnAim } from "./record-request.ts";

/** pulsecore/native-common.h. */
const COMMAND = { error: 0, reply: 2, createPlayback: 3, createRecord: 5, auth: 8 } as const;
const ACCESS_DENIED = 1;
/** The two highest bits of the version say that the client takes memory instead of bytes. */
const VERSION_MASK = 0x3fffffff;

/** Delete, drain, latency, cork, flush, trigger, name, prebuf, attributes, rate, properties of one's own streams. */
const PLAYBACK = [4, 12, 14, 41, 42, 43, 46, 60, 72, 74, 81, 84];
const RECORD = [6, 57, 58, 59, 47, 73, 75, 80, 83];
/** Auth, name and properties of oneself, statistics, the server, a sink, news that something changed. */
const GENERAL = [8, 9, 13, 20, 21, 35, 82, 85];
const GET_SOURCE = 23;
/** Info, volume and mute of one thing that plays, by its number: only of one's own. */
const OF_INPUT = [29, 37, 69];
const OF_OUTPUT = [31, 98, 99];

export type PulseGuardOptions = {
  readonly hasMicrophone: boolean;
  readonly toServer: (bytes: Uint8Array) => void;
  readonly toDesktop: (bytes: Uint8Array) => void;
};

export class PulseGuard {
  readonly #options: PulseGuardOptions;
  readonly #fromDesktop = new PulseFrames();
  readonly #fromServer = new PulseFrames();
  readonly #creating = new Map<number, Set<number>>();
  readonly #inputs = new Set<number>();
  readonly #outputs = new Set<number>();
  /** Refusals that wait until the server is between two frames. */
  #refusals: Buffer[] = [];

  constructor(options: PulseGuardOptions) {
    this.#options = options;
  }

  /** Throws at what is no such protocol; the connection is to be closed then. */
  fromDesktop(chunk: Uint8Array): void {
    for (const piece of this.#fromDesktop.push(chunk)) {
      if (piece.kind === "sound") this.#options.toServer(piece.bytes);
      else this.#judge(piece);
    }
  }

  /** Throws at what is no such protocol; the connection is to be closed then. */
  fromServer(chunk: Uint8Array): void {
    for (const piece of this.#fromServer.push(chunk)) {
      if (piece.kind === "command") this.#learn(piece.payload);
      this.#options.toDesktop(piece.kind === "command" ? piece.frame : piece.bytes);
    }
    this.#refuse();
  }

  #judge({ frame, payload }: Extract<PulsePiece, { kind: "command" }>): void {
    const [command, tag] = [readNumber(payload, 0), readNumber(payload, 5)];
    if (command === undefined || tag === undefined) throw new Error("a command has no number");
    if (!this.#isAllowed(command, payload)) {
      this.#refusals.push(formatCommand([COMMAND.error, tag, ACCESS_DENIED]));
      this.#refuse();
      return;
    }
    if (command === COMMAND.auth) clearMemoryBits(payload);
    if (command === COMMAND.createPlayback) this.#creating.set(tag, this.#inputs);
    if (command === COMMAND.createRecord) this.#creating.set(tag, this.#outputs);
    this.#options.toServer(frame);
  }

  #isAllowed(command: number, payload: Buffer): boolean {
    const { hasMicrophone } = this.#options;
    if (namesAnAim(payload)) return false;
    if (GENERAL.includes(command) || PLAYBACK.includes(command)) return true;
    if (command === COMMAND.createPlayback) return this.#creating.size < MOST_CREATING;
    const index = readNumber(payload, 10);
    if (OF_INPUT.includes(command)) return index !== undefined && this.#inputs.has(index);
    if (!hasMicrophone) return false;
    if (command === COMMAND.createRecord)
      return this.#creating.size < MOST_CREATING && isUsualSource(payload);
    if (OF_OUTPUT.includes(command)) return index !== undefined && this.#outputs.has(index);
    return RECORD.includes(command) || command === GET_SOURCE;
  }

  /** The number under which the server knows what the desktop made: after the stream's own. */
  #learn(payload: Buffer): void {
    const [command, tag] = [readNumber(payload, 0), readNumber(payload, 5)];
    if (tag === undefined || (command !== COMMAND.reply && command !== COMMAND.error)) return;
    const kept = this.#creating.get(tag);
    if (kept === undefined) return;
    this.#creating.delete(tag);
    const index = command === COMMAND.reply ? readNumber(payload, 15) : undefined;
    if (index !== undefined && kept.size < MOST_STREAMS) kept.add(index);
  }

  #refuse(): void {
    if (this.#refusals.length > MOST_REFUSALS) throw new Error("it asks too much");
    if (!this.#fromServer.isBetweenFrames()) return;
    for (const refusal of this.#refusals) this.#options.toDesktop(refusal);
    this.#refusals = [];
  }
}

const MOST_CREATING = 32;
const MOST_STREAMS = 4096;
const MOST_REFUSALS = 1000;

/** A number of a tagged structure, which stands after an L. */
function readNumber(payload: Buffer, at: number): number | undefined {
  return payload.length >= at + 5 && payload[at] === 0x4c ? payload.readUInt32BE(at + 1) : undefined;
}

function clearMemoryBits(payload: Buffer): void {
  const version = readNumber(payload, 10);
  if (version !== undefined) payload.writeUInt32BE((version & VERSION_MASK) >>> 0, 11);
}
