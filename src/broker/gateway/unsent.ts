import { keepTogether } from "../keep-together.ts";

type Sink = { write(bytes: Uint8Array): number };

/** Writes to a socket that may not take all of it at once, and keeps the rest in order. Whoever writes bounds what is kept. */
export class Unsent {
  readonly #sink: Sink;
  #chunks: Uint8Array[];
  #bytes: number;

  /** `before` goes first. */
  constructor(sink: Sink, before: readonly Uint8Array[] = []) {
    this.#sink = sink;
    this.#chunks = [...before];
    this.#bytes = before.reduce((sum, { length }) => sum + length, 0);
  }

  /** How much waits. */
  get bytes(): number {
    return this.#bytes;
  }

  /** False when some of it has to wait. It is copied: a piece of what was read would keep all of that. */
  write(bytes: Uint8Array): boolean {
    const written = this.#bytes > 0 ? 0 : Math.max(0, this.#sink.write(bytes));
    if (written >= bytes.length) return true;
    keepTogether(this.#chunks, Uint8Array.from(bytes.subarray(written)));
    this.#bytes += bytes.length - written;
    return false;
  }

  /** To be called when the socket takes bytes again. False when some still wait. */
  drain(): boolean {
    for (let chunk = this.#chunks[0]; chunk !== undefined; chunk = this.#chunks[0]) {
      const written = Math.max(0, this.#sink.write(chunk));
      this.#bytes -= written;
      if (written < chunk.length) {
        this.#chunks[0] = chunk.subarray(written);
        return false;
      }
      this.#chunks.shift();
    }
    return true;
  }

  /** Nobody will take it. */
  drop(): void {
    this.#chunks = [];
    this.#bytes = 0;
  }
}
