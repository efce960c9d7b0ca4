/** What is to go into a socket, and what it hasn't taken yet. */

import { AppError } from "../../lib/errors.ts";

/** Pictures wait for room before they are made; this much is the rest of one, and what the server says besides. */
const MOST_UNSENT_BYTES = 64 * 1024 * 1024;
/** A piece of one byte takes a hundred times as much. */
const MOST_UNSENT_PIECES = 100_000;

export class Outbox {
  readonly #socket: { write(bytes: Uint8Array): number };
  #unsent: Uint8Array[] = [];
  #unsentBytes = 0;

  constructor(socket: { write(bytes: Uint8Array): number }) {
    this.#socket = socket;
  }

  get isEmpty(): boolean {
    return this.#unsent.length === 0;
  }

  /** Throws when the peer has let too much pile up. */
  send(bytes: Uint8Array): void {
    const written = this.isEmpty ? Math.max(0, this.#socket.write(bytes)) : 0;
    if (written === bytes.length) return;
    this.#unsent.push(bytes.subarray(written));
    this.#unsentBytes += bytes.length - written;
    if (this.#unsentBytes > MOST_UNSENT_BYTES || this.#unsent.length > MOST_UNSENT_PIECES)
      throw new AppError("protocol", "a viewer or its server doesn't take what it is sent");
  }

  /** To be called when the socket takes bytes again. */
  drain(): void {
    for (let [first] = this.#unsent; first !== undefined; [first] = this.#unsent) {
      const written = Math.max(0, this.#socket.write(first));
      this.#unsentBytes -= written;
      if (written < first.length) {
        this.#unsent[0] = first.subarray(written);
        return;
      }
      this.#unsent.shift();
    }
  }
}
