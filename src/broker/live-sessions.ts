/**
 * The sessions that run through this worker, so that a takeover or an administrator's word can end them:
 * when woken and every few seconds the database is asked which of them are to end. In the same breath, but
 * seldom, it is told what they carried.
 */

import type { SessionId, VmId } from "../domain/ids.ts";
import type { Log } from "../lib/log.ts";
import { sleep } from "../lib/wait.ts";
import type { BrokerStore, SessionTraffic, Traffic } from "./store.ts";

export type LiveSession = {
  readonly id: SessionId;
  readonly vmId: VmId;
  /** Ends it; `cause` goes into its record. */
  readonly end: (cause: string) => void;
  /** What it has carried until now. */
  readonly readTraffic: () => Traffic;
  /** Bytes of both ways that the database knows of. */
  recordedBytes: number;
};

export class LiveSessions {
  readonly #sessions = new Map<SessionId, LiveSession>();
  #wake = new AbortController();

  get count(): number {
    return this.#sessions.size;
  }

  add(session: LiveSession): void {
    this.#sessions.set(session.id, session);
  }

  remove(id: SessionId): void {
    this.#sessions.delete(id);
  }

  endAll(cause: string): void {
    for (const session of [...this.#sessions.values()]) session.end(cause);
  }

  /** Something changed about a desktop; without an id, about any. */
  notify(vmId?: number): void {
    if (vmId === undefined) this.#wake.abort();
    else for (const session of this.#sessions.values()) if (session.vmId === vmId) this.#wake.abort();
  }

  /** Looks for sessions to end until the signal. A database that is away ends none. */
  async watch(
    store: BrokerStore,
    log: Log,
    options: { everyMs: number; trafficMs: number; signal: AbortSignal },
  ): Promise<void> {
    const { signal } = options;
    let trafficAtMs = Number.NEGATIVE_INFINITY;
    for (let isAway = false; !signal.aborted; ) {
      await sleep(options.everyMs, AbortSignal.any([signal, this.#wake.signal]));
      this.#wake = new AbortController();
      if (this.#sessions.size === 0 || signal.aborted) continue;
      try {
        for (const { id, cause } of await store.listSessionsToEnd()) this.#sessions.get(id)?.end(cause);
        const nowMs = performance.now();
        if (nowMs - trafficAtMs >= options.trafficMs && (await this.#recordTraffic(store)))
          trafficAtMs = nowMs;
        isAway = false;
      } catch (error) {
        if (!isAway) log.warn("sessions-to-end-unknown", { error });
        isAway = true;
      }
    }
  }

  /** Says whether there was anything to record. What a failed write held is in the next one's counters. */
  async #recordTraffic(store: BrokerStore): Promise<boolean> {
    const changed: { session: LiveSession; bytes: number; row: SessionTraffic }[] = [];
    for (const session of this.#sessions.values()) {
      const traffic = session.readTraffic();
      const bytes = traffic.bytesToClient + traffic.bytesFromClient;
      if (bytes !== session.recordedBytes)
        changed.push({ session, bytes, row: { sessionId: session.id, ...traffic } });
    }
    if (changed.length === 0) return false;
    await store.recordTraffic(changed.map(({ row }) => row));
    for (const { session, bytes } of changed) session.recordedBytes = bytes;
    return true;
  }
}
