/**
 * Directories that didn't answer are left alone for a while, longer each time, so that people don't wait for them at
 * every sign-in. A pure table over a clock, bounded by how many servers tenants name.
 */

import { backoffMs } from "../../lib/backoff.ts";
import type { Clock } from "../../lib/clock.ts";

export const SERVER_REST = { firstMs: 1_000, mostMs: 30_000, mostServers: 1_000 } as const;

type Entry = { failures: number; restUntilMs: number; text: string };

export class ServerHealth {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What was wrong with a server that is left alone now; undefined when it may be asked. */
  restsFor(key: string): string | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.restUntilMs > this.#clock.monotonicMs() ? entry.text : undefined;
  }

  noteFailure(key: string, text: string): void {
    const entry = this.#entries.get(key) ?? { failures: 0, restUntilMs: 0, text };
    const nowMs = this.#clock.monotonicMs();
    // Several that were under way when it went away are one failure.
    if (entry.restUntilMs <= nowMs) entry.failures++;
    entry.restUntilMs = nowMs + backoffMs(entry.failures, SERVER_REST);
    entry.text = text;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const oldest =
      this.#entries.size > SERVER_REST.mostServers ? this.#entries.keys().next().value : undefined;
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  noteSuccess(key: string): void {
    this.#entries.delete(key);
  }
}
