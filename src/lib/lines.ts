/**
 * Cuts a byte stream into lines (LF), without the LF. A line over the bound is dropped whole and reported
 * once, so that a hostile peer can neither fill our memory nor desynchronise us. What is kept of a line lies in one
 * piece: a hundred times as much would be asked for where each byte came by itself.
 */
export class LineSplitter {
  readonly #mostBytes: number;
  #kept = NOTHING;
  #keptBytes = 0;
  #isDropping = false;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** Returns the complete lines of `chunk` and what came before it; null stands for a line over the bound. */
  push(chunk: Uint8Array): (string | null)[] {
    const lines: (string | null)[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      lines.push(this.#finish(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    return lines;
  }

  #finish(last: Uint8Array): string | null {
    this.#keep(last);
    const line = this.#isDropping ? null : this.#kept.toString("utf8", 0, this.#keptBytes);
    this.#kept = NOTHING;
    this.#keptBytes = 0;
    this.#isDropping = false;
    return line;
  }

  #keep(part: Uint8Array): void {
    const before = this.#keptBytes;
    this.#keptBytes += part.length;
    if (this.#keptBytes > this.#mostBytes) {
      this.#isDropping = true;
      this.#kept = NOTHING;
      return;
    }
    if (this.#keptBytes > this.#kept.length) this.#grow(before);
    // Copied: the socket layer may reuse the chunk's memory once we return.
    this.#kept.set(part, before);
  }

  #grow(before: number): void {
    const room = Buffer.allocUnsafe(Math.max(this.#keptBytes, 2 * this.#kept.length));
    room.set(this.#kept.subarray(0, before));
    this.#kept = room;
  }
}

const NOTHING = Buffer.alloc(0);
