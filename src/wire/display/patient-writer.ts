/** Writes lines or frames to a socket that may not take all of one at once. One that finds another waiting is dropped. */

type Sink = { write(bytes: Uint8Array): number };

export class PatientWriter {
  readonly #sink: Sink;
  #unsent: Uint8Array | undefined;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** False when it was dropped: the peer doesn't read, so it is of no use to it. */
  write(line: string | Uint8Array): boolean {
    if (this.#unsent !== undefined) return false;
    this.#send(typeof line === "string" ? Buffer.from(line) : line);
    return true;
  }

  /** To be called when the socket takes bytes again. */
  drain(): void {
    if (this.#unsent !== undefined) this.#send(this.#unsent);
  }

  #send(bytes: Uint8Array): void {
    const written = Math.max(0, this.#sink.write(bytes));
    this.#unsent = written < bytes.length ? bytes.subarray(written) : undefined;
  }
}
