/**
 * How many updates may be under way to a viewer: those that it hasn't answered for by a fence. Enough for its line's
 * length, and one alone while its answers take longer than that: then the newest picture waits for it, not the viewer
 * for old ones.
 */

const MOST_UNDER_WAY = 8;
const MOST_REMEMBERED = 64;
const MOST_BYTES_UNDER_WAY = 512 * 1024;
/** So much later than ever, an answer tells that something piles up. */
const LATE_MS = 40;
/** The shortest time ever is forgotten by and by: lines change. */
const FORGET = 1.02;

type Sent = { readonly mark: number; readonly bytes: number; readonly atMs: number };

export class Pace {
  #underWay: Sent[] = [];
  #marks = 0;
  #leastMs = Number.POSITIVE_INFINITY;
  #lastMs = 0;

  get isOpen(): boolean {
    const count = this.#underWay.length;
    if (count === 0) return true;
    const bytes = this.#underWay.reduce((sum, one) => sum + one.bytes, 0);
    return count < this.#most && bytes < MOST_BYTES_UNDER_WAY;
  }

  /** The mark that the viewer is to answer with. */
  note(bytes: number, nowMs: number): number {
    this.#marks = (this.#marks + 1) >>> 0;
    this.#underWay.push({ mark: this.#marks, bytes, atMs: nowMs });
    // One that asks for each update besides may answer for none.
    if (this.#underWay.length > MOST_REMEMBERED) this.#underWay.shift();
    return this.#marks;
  }

  /** False for an answer to nothing. */
  answer(mark: number, nowMs: number): boolean {
    const at = this.#underWay.findIndex((one) => one.mark === mark);
    const sent = this.#underWay[at];
    if (sent === undefined) return false;
    this.#underWay = this.#underWay.slice(at + 1);
    this.#lastMs = nowMs - sent.atMs;
    this.#leastMs = Math.min(this.#leastMs * FORGET, this.#lastMs);
    return true;
  }

  get #most(): number {
    return this.#lastMs > this.#leastMs + LATE_MS ? 1 : MOST_UNDER_WAY;
  }
}
