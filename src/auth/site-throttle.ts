/** The lanes of `sign-in-throttle.ts` for a whole site: each try first learns what other boxes counted, and tells them its end. */

import { type Mark, MOST_LISTED_MARKS, markId, type SiteMarks } from "./marks.ts";
import type { SignInAttempt, SignInThrottle, SlowedSignIn, Who } from "./sign-in-throttle.ts";

export type SiteAttempt = Omit<SignInAttempt, "end"> & {
  /** Resolves when the other boxes know. */
  end(...how: Parameters<SignInAttempt["end"]>): Promise<void>;
};

export class SiteThrottle {
  readonly #memory: SignInThrottle;
  readonly #marks: SiteMarks;

  constructor(memory: SignInThrottle, marks: SiteMarks) {
    this.#memory = memory;
    this.#marks = marks;
  }

  async enter(who: Who): Promise<SiteAttempt | "refuse"> {
    // What names its owner itself can't be guessed: it is counted, and not looked up each time.
    if (who.name !== undefined) await this.#learn(who);
    const attempt = this.#memory.enter(who);
    if (attempt === "refuse") return attempt;
    return { ...attempt, end: (outcome, proved) => this.#tell(attempt.end(outcome, proved)) };
  }

  async #learn(who: Who): Promise<void> {
    const keys = this.#memory.listKeys(who);
    const marks = await this.#marks.read(keys.map(({ lane, key }) => markId(lane, key)));
    if (marks === undefined) return;
    for (const { lane, key } of keys) this.#memory.learn(lane, key, marks.get(markId(lane, key)));
  }

  async #tell({ failed, succeeded, proved }: ReturnType<SignInAttempt["end"]>): Promise<void> {
    if (failed.length > 0) {
      const counted = failed.map((one) => ({ ...one, id: markId(one.lane, one.key) }));
      const sums = await this.#marks.count(counted);
      for (const { id, lane, key, failures } of counted) {
        const sum = sums?.find((row) => row.id === id)?.failures;
        this.#memory.noteTold(lane, key, { told: failures, sum });
      }
    }
    if (succeeded.length > 0) await this.#marks.forget(succeeded.map(({ lane, key }) => markId(lane, key)));
    if (proved !== undefined) await this.#marks.noteProved({ ...proved, id: markId("proved", proved.key) });
  }

  /** As `SignInThrottle.list`, of the whole site. */
  async list(
    most: number,
    tenant?: string,
  ): Promise<{ readonly slowed: readonly SlowedSignIn[]; readonly total: number }> {
    const marks = await this.#marks.list();
    if (marks !== undefined) this.#learnAll(marks);
    return this.#memory.list(most, tenant);
  }

  /** Who isn't among them was forgotten at another box, unless there are more than are listed. */
  #learnAll(marks: readonly Mark[]): void {
    const counted = new Set(marks.map(({ id }) => id));
    const slowed = marks.length < MOST_LISTED_MARKS ? this.#memory.listSlowedKeys() : [];
    for (const { lane, key } of slowed)
      if (!counted.has(markId(lane, key))) this.#memory.learn(lane, key, undefined);
    for (const { lane, key, ...mark } of marks) if (lane !== "proved") this.#memory.learn(lane, key, mark);
  }

  /** At every box; false when nobody of this id is slowed down any more. */
  async forget(id: string): Promise<boolean> {
    const wasHere = this.#memory.forget(id) !== undefined;
    const count = await this.#marks.forget([id]);
    return count === undefined ? wasHere : count > 0;
  }
}
