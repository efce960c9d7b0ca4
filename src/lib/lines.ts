/**
 * Cuts a byte stream into lines (LF), without the LF. A line over the bound is dropped whole and reported
 * once, so that a hostile peer can neither fill our memory nor desynchronise us.
 */
export class LineSplitter {
  readonly #mostBytes: number;
  #kept: Uint8Array[] = [];
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
    const line = this.#isDropping ? null : Buffer.concat(this.#kept).toString("utf8");
    this.#kept = [];
    this.#keptBytes = 0;
    this.#isDropping = false;
    return line;
  }

  #keep(part: Uint8Array): void {
    this.#keptBytes += part.length;
    if (this.#keptBytes > this.#mostBytes) {
      this.#isDropping = true;
      this.#kept = [];
    }
    // Copied: the socket layer may reuse the chunk's memory once we return.
    else if (part.length > 0) this.#kept.push(Uint8Array.from(part));
  }
}
