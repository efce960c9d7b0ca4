/** Lets frames of samples pass but for long silence, which is not worth a byte nor an encoder's work. */

/** After a sound so much silence still goes through, so that its end isn't cut off in the encoder. */
const LAST_FRAMES = 25;

export class SilenceGate {
  #rest: Uint8Array = new Uint8Array(0);
  #silent = LAST_FRAMES;
  readonly #frameBytes: number;

  constructor(frameBytes: number) {
    this.#frameBytes = frameBytes;
  }

  /** The frames that are whole now and worth passing on. */
  push(chunk: Uint8Array): readonly Uint8Array[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Uint8Array[] = [];
    let at = 0;
    for (; at + this.#frameBytes <= bytes.length; at += this.#frameBytes) {
      const frame = bytes.slice(at, at + this.#frameBytes);
      this.#silent = frame.every((byte) => byte === 0) ? this.#silent + 1 : 0;
      if (this.#silent <= LAST_FRAMES) frames.push(frame);
    }
    this.#rest = bytes.slice(at);
    return frames;
  }
}
