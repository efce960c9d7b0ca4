/**
 * How many updates may be under way to a viewer: those that it hasn't answered for by a fence. Enough for its line's
 * length, and one alone while its answers take longer than that: then the newest picture waits for it, not the viewer
 * for old ones.
 */

const MOST_UNDER_WAY = 12;
const MOST_REMEMBERED = 64;
const MOST_BYTES_UNDER_WAY = 512 * 1024;
/** So much later than ever, an answer tells that something piles up. */
const LATE_MS = 40;
/** The shortest time ever is forgotten by and by: lines change. */
const FORGET = 1.02;
/** An answer is a message on its way through all processes between; while answers come in time, one does for so much. */
const [MOST_UNASKED, MOST_UNASKED_BYTES] = [5, 48 * 1024];

type Sent = {
  readonly mark: number;
  readonly bytes: number;
  readonly atMs: number;
  readonly isAsked: boolean;
};

export class Pace {
  #underWay: Sent[] = [];
  #marks = 0;
  /** Since an answer was asked for. */
  #unasked = { updates: 0, bytes: 0 };
  #leastMs = Number.POSITIVE_INFINITY;
  #lastMs = 0;

  get isOpen(): boolean {
    const count = this.#underWay.length;
    // For the last few nobody may have asked: those are answered for by the next.
    if (!this.#underWay.some(({ isAsked }) => isAsked)) return true;
    const bytes = this.#underWay.reduce((sum, one) => sum + one.bytes, 0);
    return count < this.#most && bytes < MOST_BYTES_UNDER_WAY;
  }

  /** The mark that the viewer is to answer with; undefined where that can wait for a later one. */
  note(bytes: number, nowMs: number): number | undefined {
    this.#marks = (this.#marks + 1) >>> 0;
    const unasked = { updates: this.#unasked.updates + 1, bytes: this.#unasked.bytes + bytes };
    const canWait = unasked.updates < MOST_UNASKED && unasked.bytes < MOST_UNASKED_BYTES;
    const isAsked = !this.#hasAnswer || this.#most === 1 || !canWait;
    this.#unasked = isAsked ? { updates: 0, bytes: 0 } : unasked;
    this.#underWay.push({ mark: this.#marks, bytes, atMs: nowMs, isAsked });
    // One that asks for each update besides may answer for none.
    if (this.#underWay.length > MOST_REMEMBERED) this.#underWay.shift();
    return isAsked ? this.#marks : undefined;
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

  get #hasAnswer(): boolean {
    return this.#leastMs !== Number.POSITIVE_INFINITY;
  }

  get #most(): number {
    return this.#lastMs > this.#leastMs + LATE_MS ? 1 : MOST_UNDER_WAY;
  }
}
