/**
 * The channels `sound` and `microphone` of the display door.
 *
 *     sound:       hello's argument: the codecs that the page plays, "opus,pcm"
 *                  agent ──► {"codec":"opus"}\n or {"problem":"why not"}\n, then frames of 20 ms: their length in two bytes, big end first, and so
 *                  many bytes. Nothing comes while nothing plays.
 *     microphone:  hello's argument: how many samples a second, "48000"
 *                  agent ──► {"codec":"pcm"}\n or {"problem":"why not"}\n
 *                  broker ──► signed 16-bit samples, little end first, one channel
 *
 * Sound is of the moment: whoever can't pass a frame on in time drops it, on every leg.
 */

export const SOUND_RATE = 48_000;
export const SOUND_CHANNELS = 2;
export const FRAME_MS = 20;
/** 20 ms of both channels in 16 bits. */
export const PCM_FRAME_BYTES = (SOUND_RATE / 1000) * FRAME_MS * SOUND_CHANNELS * 2;
/** A longer frame comes from no agent of ours. */
export const MOST_FRAME_BYTES = 4096;
export const MOST_SOUND_HEAD = 512;

export const SOUND_CODECS = ["opus", "pcm"] as const;
export type SoundCodec = (typeof SOUND_CODECS)[number];

/** What a person at a browser may do with sound: `on` from the start, when they `ask` for it, or `never`. */
export type SoundPolicy = {
  readonly playback: "on" | "ask" | "never";
  readonly microphone: "ask" | "never";
};

/** The codecs that were named and are known, in our order of preference. */
export function parseSoundWish(argument: string): readonly SoundCodec[] {
  const named = argument.split(",");
  return SOUND_CODECS.filter((codec) => named.includes(codec));
}

/** What the agent says first: how it sends, or why it can't. */
export type SoundHead = { readonly codec: SoundCodec } | { readonly problem: string };

export function formatSoundHead(head: SoundHead): string {
  return `${JSON.stringify(head).slice(0, MOST_SOUND_HEAD)}\n`;
}

/** Undefined when the line is none: it comes out of a desktop. */
export function parseSoundHead(line: string): SoundHead | undefined {
  try {
    const { codec: name, problem } = Object(JSON.parse(line));
    const codec = SOUND_CODECS.find((one) => one === name);
    if (codec !== undefined) return { codec };
    return typeof problem === "string" ? { problem: problem.replace(/\p{Cc}/gu, " ") } : undefined;
  } catch {
    // Not JSON is an answer here, not a failure.
    return undefined;
  }
}

/** Samples a second of the microphone; undefined for what no sound card has. */
export function parseMicrophoneRate(argument: string): number | undefined {
  if (!/^[0-9]{4,6}$/.test(argument)) return undefined;
  const rate = Number(argument);
  return rate >= 8_000 && rate <= 192_000 ? rate : undefined;
}

export function formatFrame(frame: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(frame.length + 2);
  bytes[0] = frame.length >> 8;
  bytes[1] = frame.length & 0xff;
  bytes.set(frame, 2);
  return bytes;
}

/** Cuts a stream into frames. */
export class FrameSplitter {
  #rest: Uint8Array = new Uint8Array(0);

  /** The frames that are whole now, each a copy; undefined when one is too long, after which nothing makes sense. */
  push(chunk: Uint8Array): readonly Uint8Array[] | undefined {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Uint8Array[] = [];
    let at = 0;
    while (at + 2 <= bytes.length) {
      const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
      if (length > MOST_FRAME_BYTES) return undefined;
      if (at + 2 + length > bytes.length) break;
      frames.push(bytes.slice(at + 2, at + 2 + length));
      at += 2 + length;
    }
    this.#rest = bytes.slice(at);
    return frames;
  }
}
