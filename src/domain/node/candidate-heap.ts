/**
 * The best of many candidates, again and again, while their scores change: a binary heap with entries that
 * go out of date. A candidate that is set anew leaves its old entry behind, which is dropped when it comes up.
 */

type Entry = { readonly id: number; readonly score: number; readonly version: number };

export class CandidateHeap {
  readonly #entries: Entry[] = [];
  readonly #versions = new Map<number, number>();

  /** Adds a candidate, or gives it another score. */
  set(id: number, score: number): void {
    const version = (this.#versions.get(id) ?? 0) + 1;
    this.#versions.set(id, version);
    this.#entries.push({ id, score, version });
    this.#rise(this.#entries.length - 1);
  }

  has(id: number): boolean {
    return this.#versions.has(id);
  }

  remove(id: number): void {
    this.#versions.delete(id);
  }

  /** The id with the greatest score; of equals the lowest id. It stays in. */
  best(): number | undefined {
    for (;;) {
      const top = this.#entries[0];
      if (top === undefined || this.#versions.get(top.id) === top.version) return top?.id;
      const last = this.#entries.pop();
      if (last !== undefined && this.#entries.length > 0) {
        this.#entries[0] = last;
        this.#sink();
      }
    }
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(): void {
    let at = 0;
    for (;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let first = at;
      if (left < this.#entries.length && this.#isBefore(left, first)) first = left;
      if (right < this.#entries.length && this.#isBefore(right, first)) first = right;
      if (first === at) return;
      this.#swap(at, first);
      at = first;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const [a, b] = [this.#entries[one], this.#entries[other]];
    if (a === undefined || b === undefined) return false;
    return a.score !== b.score ? a.score > b.score : a.id < b.id;
  }

  #swap(one: number, other: number): void {
    const [a, b] = [this.#entries[one], this.#entries[other]];
    if (a === undefined || b === undefined) return;
    this.#entries[one] = b;
    this.#entries[other] = a;
  }
}
