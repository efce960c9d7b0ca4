/**
 * What the auth processes of a site tell each other of failures to sign in, so that nobody guesses more by trying other
 * boxes, or after a restart. It is read before a try and written after a failure, or after the first success that follows
 * some: a sign-in as usual writes nothing. While the database is away each box goes by its own memory.
 */

import { createHash } from "node:crypto";
import { describeError, isAppError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";

/** `code`: of a second factor. `proved`: an account and address that proved themselves lately; it has no failures. */
export type MarkLane = "pair" | "account" | "address" | "code" | "proved";

export type Mark = {
  readonly id: string;
  readonly lane: MarkLane;
  readonly key: string;
  readonly failures: number;
  /** Since the last of them, by the database's clock. */
  readonly ageMs: number;
};

export type NewMark = Pick<Mark, "id" | "lane" | "key" | "failures"> & { readonly memoryMs: number };

export const MOST_LISTED_MARKS = 1_000;

/** src/cli/auth joins it to the service's verbs. Each throws when the database is away. */
export interface MarkStore {
  read(ids: readonly string[]): Promise<readonly Mark[]>;
  /** Those that may slow somebody down, `MOST_LISTED_MARKS` at most. */
  list(): Promise<readonly Mark[]>;
  /** Adds, and returns what the site has counted then. */
  count(failed: readonly NewMark[]): Promise<readonly Pick<Mark, "id" | "failures">[]>;
  noteProved(proved: Pick<NewMark, "id" | "key" | "memoryMs">): Promise<void>;
  forget(ids: readonly string[]): Promise<number>;
}

export function markId(lane: MarkLane, key: string): string {
  return createHash("sha256").update(`${lane} ${key}`).digest("hex").slice(0, 24);
}

/** The store, with `undefined` for all that couldn't be had of it. Says once that it is away, and once that it is back. */
export class SiteMarks {
  readonly #store: MarkStore;
  readonly #log: Log;
  #isAway = false;

  constructor(store: MarkStore, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  async read(ids: readonly string[]): Promise<ReadonlyMap<string, Mark> | undefined> {
    const marks = await this.#ask(() => this.#store.read(ids));
    return marks && new Map(marks.map((mark) => [mark.id, mark]));
  }

  list(): Promise<readonly Mark[] | undefined> {
    return this.#ask(() => this.#store.list());
  }

  count(failed: readonly NewMark[]): Promise<readonly Pick<Mark, "id" | "failures">[] | undefined> {
    return this.#ask(() => this.#store.count(failed));
  }

  async noteProved(proved: Pick<NewMark, "id" | "key" | "memoryMs">): Promise<void> {
    await this.#ask(() => this.#store.noteProved(proved));
  }

  forget(ids: readonly string[]): Promise<number | undefined> {
    return this.#ask(() => this.#store.forget(ids));
  }

  async #ask<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await work();
      if (this.#isAway) this.#log.info("sign-in-marks-back");
      this.#isAway = false;
      return answer;
    } catch (error) {
      if (!this.#isAway)
        this.#log.warn("sign-in-marks-away", {
          reason: isAppError(error) ? describeError(error) : error,
          text: "Guessing is slowed down by what this box remembers until the database answers.",
        });
      this.#isAway = true;
      return undefined;
    }
  }
}
