/**
 * Writes how sittings ended. A session may end while the database is away, so ends are kept and tried again
 * until they are written; the next start of this worker closes what was lost with the process. A moment after it was written
 * each is told once more, since a server that dies forgets its last half second.
 */

import type { SessionId } from "../domain/ids.ts";
import { isClosedByEither } from "../domain/session/end-cause.ts";
import { backoffMs } from "../lib/backoff.ts";
import { isAppError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { sleep } from "../lib/wait.ts";
import type { BrokerStore, SessionEnd } from "./store.ts";

/** Ends that wait for the database at most; each stood for a connection, so there can't be many more. */
const MOST_KEPT = 50_000;
const MOST_TRIES = 5;
/** Until the node has reported what became of an X session whose client is gone. */
const LOOK_AGAIN_MS = 3_000;

export class Recorder {
  readonly #store: BrokerStore;
  readonly #log: Log;
  readonly #kept = new Map<SessionId, SessionEnd>();
  readonly #lookAgainMs: number;
  /** The first is due first. */
  readonly #looks = new Map<SessionId, { readonly end: SessionEnd; readonly dueMs: number }>();
  readonly #over = new AbortController();
  #looking: Promise<void> | undefined;
  #writing: Promise<void> | undefined;

  constructor(store: BrokerStore, log: Log, lookAgainMs = LOOK_AGAIN_MS) {
    this.#store = store;
    this.#log = log;
    this.#lookAgainMs = lookAgainMs;
  }

  ended(sessionId: SessionId, end: SessionEnd): void {
    if (this.#kept.size >= MOST_KEPT) this.#drop(sessionId);
    else this.#kept.set(sessionId, end);
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves when nothing waits to be written, or after `timeoutMs`. */
  async settle(timeoutMs: number): Promise<void> {
    if (this.#writing !== undefined) await Promise.race([this.#writing, sleep(timeoutMs)]);
    this.#over.abort();
  }

  #lookAgain(sessionId: SessionId, end: SessionEnd): void {
    if (this.#looks.size >= MOST_KEPT) return;
    this.#looks.set(sessionId, { end, dueMs: performance.now() + this.#lookAgainMs });
    this.#looking ??= this.#look();
  }

  /** One after the other: when a network breaks all of them are due at once. */
  async #look(): Promise<void> {
    const { signal } = this.#over;
    for (;;) {
      const [sessionId, look] = this.#looks.entries().next().value ?? [];
      if (sessionId === undefined || look === undefined) {
        // Whoever comes between here and the end of this promise would start none.
        this.#looking = undefined;
        return;
      }
      await sleep(Math.max(0, look.dueMs - performance.now()), signal);
      if (signal.aborted) return;
      this.#looks.delete(sessionId);
      await this.#tellAgain(sessionId, look.end);
    }
  }

  async #tellAgain(sessionId: SessionId, end: SessionEnd): Promise<void> {
    try {
      await this.#store.recordEnded(sessionId, end);
      // Whether a client left, its person signed out or the desktop went down shows by now.
      // A client that was sent nothing has not come as far as an X session.
      const isUncertain =
        isClosedByEither(end.cause) && (end.cause !== "client-left" || end.bytesToClient > 0);
      if (isUncertain) await this.#store.recordSecondLook(sessionId);
    } catch (error) {
      if (isAway(error)) this.ended(sessionId, end);
      else this.#log.warn("session-end-not-looked-at", { sessionId, error });
    }
  }

  async #write(): Promise<void> {
    for (let tries = 0; this.#kept.size > 0; ) {
      const [sessionId, end] = this.#kept.entries().next().value ?? [];
      if (sessionId === undefined || end === undefined) return;
      try {
        await this.#store.recordEnded(sessionId, end);
        this.#kept.delete(sessionId);
        this.#lookAgain(sessionId, end);
        tries = 0;
      } catch (error) {
        tries++;
        // Only an absent database is worth waiting for without end; anything else is a bug of this one row.
        if (!isAway(error) && tries >= MOST_TRIES) this.#drop(sessionId, error);
        else if (tries === 1) this.#log.warn("session-end-kept", { sessionId, error });
        await sleep(backoffMs(tries, { firstMs: 200, mostMs: 5_000 }));
      }
    }
  }

  #drop(sessionId: SessionId, error?: unknown): void {
    this.#kept.delete(sessionId);
    this.#log.error("session-end-dropped", { sessionId, error });
  }
}

function isAway(error: unknown): boolean {
  return isAppError(error) && error.code === "database-away";
}
