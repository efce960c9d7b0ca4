/**
 * Bounds the guessing of six digits, by whoever has the password already: some wrong codes of one second factor are
 * free, then each further try has to wait longer. From every address and at every box together, since a million codes are
 * few. It keeps nobody out but those who have the password; its owner uses a recovery code meanwhile, which nobody guesses.
 */

import { markId, type SiteMarks } from "../marks.ts";
import type { Throttle, ThrottleLimits } from "../throttle.ts";

export const CODE_LIMITS = {
  freeFailures: 4,
  firstMs: 15_000,
  mostMs: 15 * 60_000,
  memoryMs: 60 * 60_000,
  mostKeys: 10_000,
  mostWaiting: 0,
} as const satisfies ThrottleLimits;

/** `codes` may be one that others read too, with `CODE_LIMITS`. */
export type CodeLimiterDeps = { readonly marks: SiteMarks; readonly codes: Throttle };

/** Whose codes; `describe` of `sign-in-throttle.ts` reads them off the key. */
export type CodeOwner = {
  readonly secondFactorId: number;
  readonly kind: "user" | "administrator";
  readonly login: string;
  readonly tenant: string;
};

export type CodeAttempt = {
  /** To be called once; a code that throws while it is looked at counts as a wrong one. */
  readonly end: (isRight: boolean) => Promise<void>;
};

export class CodeLimiter {
  readonly #marks: SiteMarks;
  readonly #codes: Throttle;

  constructor({ marks, codes }: CodeLimiterDeps) {
    this.#marks = marks;
    this.#codes = codes;
  }

  /** "refuse": no code of this second factor is looked at now. It counts as a wrong one until it ends. */
  async enter({ kind, login, tenant, secondFactorId }: CodeOwner): Promise<CodeAttempt | "refuse"> {
    // Of one that is set up anew nothing is known.
    const key = JSON.stringify([kind, login, tenant, `${secondFactorId}`]);
    const id = markId("code", key);
    const marks = await this.#marks.read([id]);
    if (marks !== undefined) this.#codes.learn(key, marks.get(id));
    const attempt = this.#codes.enter(key);
    // Nobody waits here, so nothing was taken.
    if (attempt === "refuse") return attempt;
    const hadFailures = this.#codes.failuresOf(key) > 0;
    attempt.begin();
    return {
      end: async (isRight) => {
        attempt.end(isRight ? "succeeded" : "failed");
        if (isRight && hadFailures) await this.#marks.forget([id]);
        if (isRight) return;
        const failures = this.#codes.takeUntold(key);
        const { memoryMs } = CODE_LIMITS;
        const [counted] = (await this.#marks.count([{ id, lane: "code", key, failures, memoryMs }])) ?? [];
        this.#codes.noteTold(key, { told: failures, sum: counted?.failures });
      },
    };
  }
}
