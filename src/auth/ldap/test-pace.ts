/** How often a tenant's administrators may have their directories tried: it opens connections from this box to wherever they say. */

export class TestPace {
  readonly #nowMs: () => number;
  readonly #everyMs: number;
  readonly #lastMs = new Map<number, number>();

  constructor({ nowMs, everyMs }: { readonly nowMs: () => number; readonly everyMs: number }) {
    this.#nowMs = nowMs;
    this.#everyMs = everyMs;
  }

  /** Whether it may be tried now; then it counts. */
  admits(tenantId: number): boolean {
    const nowMs = this.#nowMs();
    for (const [id, atMs] of this.#lastMs) if (nowMs - atMs >= this.#everyMs) this.#lastMs.delete(id);
    if (this.#lastMs.has(tenantId)) return false;
    this.#lastMs.set(tenantId, nowMs);
    return true;
  }
}
