/**
 * Directories that didn't answer are left alone for a while, longer each time, so that people don't wait for them at
 * every sign-in. A pure table over a clock, bounded by how many servers tenants name.
 */

import { backoffMs } from "../../lib/backoff.ts";
import type { Clock } from "../../lib/clock.ts";

export const SERVER_REST = { firstMs: 1_000, mostMs: 30_000, mostServers: 1_000 } as const;

/** A server that is left alone now, for administrators. */
export type AwayServer = { readonly name: string; readonly text: string };

type Entry = { name: string; failures: number; restUntilMs: number; text: string };

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

  /** Those that are left alone now. */
  list(): readonly AwayServer[] {
    const nowMs = this.#clock.monotonicMs();
    const away = [...this.#entries.values()].filter(({ restUntilMs }) => restUntilMs > nowMs);
    return away.map(({ name, text }) => ({ name, text }));
  }

  /** `name` is what people call it. */
  noteFailure(key: string, { name, text }: AwayServer): void {
    const entry = this.#entries.get(key) ?? { name, failures: 0, restUntilMs: 0, text };
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
