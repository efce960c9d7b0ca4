/** Time as this process lives through it: a machine that stands still stops whoever is measured, and the measuring, too. */

const EVERY_MS = 50;
/** Of two ticks that are further apart nobody ran in between. */
const MOST_MS = 100;

export class LivedTime {
  readonly #ticks: number[] = [performance.now()];
  readonly #timer = setInterval(() => this.#ticks.push(performance.now()), EVERY_MS);

  /** How much of the time between two moments by performance.now() it was; from its making on. */
  between(from: number, to: number): number {
    const moments = [...this.#ticks, performance.now()];
    const parts = moments.slice(1).map((end, index) => {
      const begin = moments[index] ?? end;
      return Math.min(Math.max(0, Math.min(end, to) - Math.max(begin, from)), MOST_MS);
    });
    return parts.reduce((sum, part) => sum + part, 0);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
