/**
 * Cuts PulseAudio's native protocol into its frames, however the bytes come. A frame is a descriptor of five words
 * (length, channel, offset in two words, flags) and its payload. Commands come whole, since they are looked at; sound
 * passes as it comes.
 */

export type PulsePiece =
  /** A whole frame of the control channel; `payload` is a tagged structure. */
  | { readonly kind: "command"; readonly frame: Buffer; readonly payload: Buffer }
  /** A part of any other frame, its descriptor among them. */
  | { readonly kind: "sound"; readonly bytes: Buffer };

const HEAD_BYTES = 20;
const CONTROL_CHANNEL = 0xffffffff;
/** Commands are small; the longest are lists of properties. */
const MOST_COMMAND_BYTES = 256 * 1024;
/** The protocol's own bound. */
const MOST_SOUND_BYTES = 16 * 2 ** 20;
/** Blocks in shared memory: their flags name memory, and no bytes follow. */
const MEMORY_FLAGS = 0xe0000000;

export class PulseFrames {
  #held = Buffer.alloc(0);
  /** Of the frame of sound that is under way. */
  #left = 0;

  /** What has become complete. Throws at what is no such protocol, or names memory. */
  push(chunk: Uint8Array): readonly PulsePiece[] {
    this.#held = Buffer.concat([this.#held, chunk]);
    const pieces: PulsePiece[] = [];
    for (let piece = this.#next(); piece !== undefined; piece = this.#next()) pieces.push(piece);
    return pieces;
  }

  /** Whether nothing of a frame has been passed on without its end. */
  isBetweenFrames(): boolean {
    return this.#left === 0;
  }

  #next(): PulsePiece | undefined {
    if (this.#left > 0) {
      if (this.#held.length === 0) return undefined;
      const bytes = this.#take(Math.min(this.#left, this.#held.length));
      this.#left -= bytes.length;
      return { kind: "sound", bytes };
    }
    if (this.#held.length < HEAD_BYTES) return undefined;
    const length = this.#held.readUInt32BE(0);
    const isCommand = this.#held.readUInt32BE(4) === CONTROL_CHANNEL;
    if ((this.#held.readUInt32BE(16) & MEMORY_FLAGS) !== 0) throw new Error("it names shared memory");
    if (length > (isCommand ? MOST_COMMAND_BYTES : MOST_SOUND_BYTES)) throw new Error("a frame is too long");
    if (!isCommand) {
      this.#left = length;
      return { kind: "sound", bytes: this.#take(HEAD_BYTES) };
    }
    if (this.#held.length < HEAD_BYTES + length) return undefined;
    const frame = this.#take(HEAD_BYTES + length);
    return { kind: "command", frame, payload: frame.subarray(HEAD_BYTES) };
  }

  #take(size: number): Buffer {
    const bytes = this.#held.subarray(0, size);
    this.#held = this.#held.subarray(size);
    return bytes;
  }
}

/** The frame of a command whose words are all numbers. */
export function formatCommand(words: readonly number[]): Buffer {
  const frame = Buffer.alloc(HEAD_BYTES + words.length * 5);
  frame.writeUInt32BE(words.length * 5, 0);
  frame.writeUInt32BE(CONTROL_CHANNEL, 4);
  words.forEach((word, at) => {
    frame.write("L", HEAD_BYTES + at * 5, "latin1");
    frame.writeUInt32BE(word, HEAD_BYTES + at * 5 + 1);
  });
  return frame;
}
