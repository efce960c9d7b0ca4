/** A stream read in steps: whoever asks for so many bytes gets them when they have come. */

import { AppError } from "../../lib/errors.ts";

/** No message of RFB's that is waited for whole is larger. */
const MOST_TAKEN_BYTES = 16 * 1024 * 1024;

export class ByteReader {
  #chunks: Buffer[] = [];
  #length = 0;
  #asked: { readonly bytes: number; readonly give: (bytes: Buffer) => void } | undefined;

  /** Copies the chunk. */
  push(chunk: Uint8Array): void {
    this.#chunks.push(Buffer.from(chunk));
    this.#length += chunk.length;
    const asked = this.#asked;
    if (asked === undefined || this.#length < asked.bytes) return;
    this.#asked = undefined;
    asked.give(this.#cut(asked.bytes));
  }

  /** One asks at a time. */
  take(bytes: number): Promise<Buffer> {
    if (bytes > MOST_TAKEN_BYTES)
      throw new AppError("protocol", `a message of ${bytes} bytes is longer than any may be`);
    if (this.#length >= bytes) return Promise.resolve(this.#cut(bytes));
    return new Promise((resolve) => {
      this.#asked = { bytes, give: resolve };
    });
  }

  /** Lets so many go by. */
  async skip(bytes: number): Promise<void> {
    for (let left = bytes; left > 0; ) {
      const part = Math.min(left, Math.max(1, this.#length));
      await this.take(part);
      left -= part;
    }
  }

  #cut(bytes: number): Buffer {
    const whole = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    const all = whole ?? Buffer.alloc(0);
    this.#length -= bytes;
    this.#chunks = this.#length > 0 ? [all.subarray(bytes)] : [];
    return all.subarray(0, bytes);
  }
}
