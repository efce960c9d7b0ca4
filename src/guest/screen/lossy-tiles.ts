/** Where a viewer has only nearly what it should have, since it got a JPEG: kept by tiles until they are sent without loss. */

import type { Rectangle } from "./rectangle.ts";

const TILE = 32;

export class LossyTiles {
  readonly #columns: number;
  readonly #rows: number;
  readonly #size: { readonly width: number; readonly height: number };
  /** When each was last sent with loss, in milliseconds; zero where nothing is amiss. */
  readonly #sinceMs: Float64Array;
  #count = 0;

  constructor(width: number, height: number) {
    this.#size = { width, height };
    this.#columns = Math.ceil(width / TILE);
    this.#rows = Math.ceil(height / TILE);
    this.#sinceMs = new Float64Array(this.#columns * this.#rows);
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  note(place: Rectangle, nowMs: number): void {
    this.#each(place, (tile) => {
      if (this.#sinceMs[tile] === 0) this.#count++;
      this.#sinceMs[tile] = nowMs;
    });
  }

  /** What is copied from a lossy place is lossy there, too. */
  copy(to: Rectangle, dx: number, dy: number, nowMs: number): void {
    if (this.#count === 0) return;
    let isLossy = false;
    this.#each({ ...to, x: to.x + dx, y: to.y + dy }, (tile) => {
      isLossy ||= this.#sinceMs[tile] !== 0;
    });
    if (isLossy) this.note(to, nowMs);
  }

  /** Rectangles of whole tiles at rest since then, up to so many tiles; they are no longer lossy. */
  takeRested(untilMs: number, most: number): Rectangle[] {
    const taken: Rectangle[] = [];
    let left = most;
    for (let row = 0; row < this.#rows && left > 0; row++) {
      let first = -1;
      for (let column = 0; column <= this.#columns; column++) {
        const tile = row * this.#columns + column;
        const sinceMs = column < this.#columns && left > 0 ? (this.#sinceMs[tile] ?? 0) : 0;
        if (sinceMs !== 0 && sinceMs <= untilMs) {
          this.#sinceMs[tile] = 0;
          this.#count--;
          left--;
          if (first === -1) first = column;
        } else if (first !== -1) {
          taken.push(this.#placeOf(row, first, column));
          first = -1;
        }
      }
    }
    return taken;
  }

  #placeOf(row: number, first: number, end: number): Rectangle {
    const [x, y] = [first * TILE, row * TILE];
    const width = Math.min(this.#size.width, end * TILE) - x;
    return { x, y, width, height: Math.min(this.#size.height, y + TILE) - y };
  }

  #each({ x, y, width, height }: Rectangle, visit: (tile: number) => void): void {
    for (let row = Math.floor(y / TILE); row * TILE < y + height; row++)
      for (let column = Math.floor(x / TILE); column * TILE < x + width; column++)
        visit(row * this.#columns + column);
  }
}
