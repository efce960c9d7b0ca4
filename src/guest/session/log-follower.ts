/**
 * Follows a growing log file: woken by inotify, so that an idle session costs nothing. Bun drops the last
 * notices of a burst (15 of 100 bursts of eight writes, 1.4.5), so each notice is followed by looks until one
 * finds nothing new.
 */

import { closeSync, type FSWatcher, fstatSync, ftruncateSync, openSync, readSync, watch } from "node:fs";
import { LineSplitter } from "../../lib/lines.ts";

const MOST_LINE_BYTES = 4096;
/** An adopted log is read from here at most; each event says all about the state, so the rest isn't missed. */
const TAIL_BYTES = 64 * 1024;
const KEPT_LINES = 60;
/** What was read is emptied at this size: the log lies in memory, with 16 MB for all that the agent writes. */
const MOST_READ_BYTES = 4 * 1024 * 1024;
const LOOK_AGAIN_MS = 25;

export class LogFollower {
  readonly #fd: number;
  readonly #onLine: (line: string) => void;
  readonly #watcher: FSWatcher;
  readonly #buffer = new Uint8Array(4096);
  #splitter = new LineSplitter(MOST_LINE_BYTES);
  #offset: number;
  #lastLines: string[] = [];
  #isClosed = false;
  #lookAgain: ReturnType<typeof setTimeout> | undefined;

  constructor(path: string, onLine: (line: string) => void, onWake: () => void) {
    this.#onLine = onLine;
    this.#fd = openSync(path, "r+");
    this.#offset = Math.max(0, fstatSync(this.#fd).size - TAIL_BYTES);
    this.#watcher = watch(path, { persistent: false }, () => this.#wake(onWake));
    // Watching can end under us (limits); the callers' slow looks go on.
    this.#watcher.on("error", () => {});
  }

  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  /** Hands over the complete lines that came since the last call. */
  read(): void {
    if (this.#isClosed) return;
    if (fstatSync(this.#fd).size < this.#offset) {
      this.#offset = 0;
      this.#splitter = new LineSplitter(MOST_LINE_BYTES);
    }
    for (;;) {
      const count = readSync(this.#fd, this.#buffer, 0, this.#buffer.length, this.#offset);
      if (count === 0) {
        this.#bound();
        return;
      }
      this.#offset += count;
      for (const line of this.#splitter.push(this.#buffer.subarray(0, count))) {
        if (line === null) continue;
        this.#lastLines = [...this.#lastLines.slice(1 - KEPT_LINES), line];
        this.#onLine(line);
        if (this.#isClosed) return;
      }
    }
  }

  /** Its writers append, and so go on at its beginning. What they write just between is lost. */
  #bound(): void {
    if (this.#offset < MOST_READ_BYTES) return;
    ftruncateSync(this.#fd);
    this.#offset = 0;
  }

  #wake(onWake: () => void): void {
    const before = this.#offset;
    onWake();
    if (this.#isClosed || this.#lookAgain !== undefined) return;
    this.#lookAgain = setTimeout(() => {
      this.#lookAgain = undefined;
      if (this.#isClosed) return;
      if (fstatSync(this.#fd).size !== this.#offset || this.#offset !== before) this.#wake(onWake);
    }, LOOK_AGAIN_MS);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#lookAgain);
    this.#watcher.close();
    closeSync(this.#fd);
  }
}
