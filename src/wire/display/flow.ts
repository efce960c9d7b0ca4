/** One direction of two joined sockets: memory stays at what one read had taken. */

export type Pausable = {
  write(chunk: Uint8Array): number;
  pause(): void;
  resume(): void;
  end(): void;
  terminate(): void;
};

/** What `to` didn't take is kept, and `from` rests until it has. */
export class Flow {
  #unsent: Uint8Array[] = [];
  readonly #from: Pausable;
  readonly #to: Pausable;

  constructor(from: Pausable, to: Pausable) {
    this.#from = from;
    this.#to = to;
  }

  send(chunk: Uint8Array): void {
    if (this.#unsent.length > 0) return void this.#unsent.push(chunk);
    const written = Math.max(0, this.#to.write(chunk));
    if (written === chunk.length) return;
    this.#unsent = [chunk.subarray(written)];
    this.#from.pause();
  }

  drain(): void {
    for (let chunk = this.#unsent[0]; chunk !== undefined; chunk = this.#unsent[0]) {
      const written = Math.max(0, this.#to.write(chunk));
      if (written < chunk.length) {
        this.#unsent[0] = chunk.subarray(written);
        return;
      }
      this.#unsent.shift();
    }
    this.#from.resume();
  }
}
