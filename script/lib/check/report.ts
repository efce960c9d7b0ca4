/** The steps of a check: each is told with its time when it has held; the first that hasn't ends the check. */

export type Timing = { readonly name: string; readonly ms: number };

export class CheckReport {
  readonly #say: (text: string) => void;
  readonly #timings: Timing[] = [];
  #steps = 0;

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  /** Runs one step; what it throws is told under its name. */
  async step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      const result = await work();
      this.#steps++;
      this.#say(`✓ ${name} (${formatMs(performance.now() - start)})`);
      return result;
    } catch (error) {
      this.#say(`✗ ${name}: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    }
  }

  /** Keeps a figure for the table. */
  time(name: string, ms: number): void {
    this.#timings.push({ name, ms });
  }

  get steps(): number {
    return this.#steps;
  }

  renderTable(): string {
    const width = Math.max(...this.#timings.map(({ name }) => name.length));
    return this.#timings
      .map(({ name, ms }) => `  ${name.padEnd(width)}  ${formatMs(ms).padStart(9)}\n`)
      .join("");
  }
}

/** Milliseconds below ten seconds, seconds from there on. */
export function formatMs(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
