/**
 * Tells the pages of this worker who asks to see their sessions, and who does. One question to the database for all of
 * them, when woken and every few seconds, and none while nobody is here.
 */

import type { OpenVisit } from "../../db/queries/visits.ts";
import type { SessionId } from "../../domain/ids.ts";
import type { Log } from "../../lib/log.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import type { VisitStore } from "./visit-store.ts";

type OnVisits = (visits: readonly OpenVisit[]) => void;

const LOOK_EVERY_MS = 2_000;

export class VisitWatch {
  readonly #store: Pick<VisitStore, "listOpen">;
  readonly #log: Log;
  readonly #told = new Map<SessionId, { readonly onVisits: OnVisits; last: string }>();
  readonly look = oneAtATime(() => this.#lookOnce());
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(store: Pick<VisitStore, "listOpen">, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** Calls `onVisits` with each change until `remove`; nobody there is not told at first. */
  add(sessionId: SessionId, onVisits: OnVisits): void {
    this.#told.set(sessionId, { onVisits, last: "[]" });
    this.#timer ??= setInterval(() => void this.look(), LOOK_EVERY_MS);
  }

  remove(sessionId: SessionId): void {
    this.#told.delete(sessionId);
    if (this.#told.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #lookOnce(): Promise<void> {
    if (this.#told.size === 0) return;
    try {
      const all = await this.#store.listOpen([...this.#told.keys()]);
      for (const [sessionId, told] of this.#told) {
        const visits = all.filter((one) => one.sessionId === sessionId);
        const text = JSON.stringify(visits);
        if (text === told.last) continue;
        told.last = text;
        told.onVisits(visits);
      }
    } catch (error) {
      this.#log.debug("visits-unknown", { error });
    }
  }
}
