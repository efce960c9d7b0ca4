/**
 * Whose failures slow whom down. Three lanes, each with its free failures and growing delay: an account from an
 * address, an account from anywhere (guessing spread over many addresses), an address towards any account (one
 * guesser, many names). A pair of account and address that proved itself lately uses the first lane alone: a person
 * under attack still gets in from where they always do, and so does a campus behind one address with a guesser in it.
 * Places to wait go to those who have tried least: an account's owner at a new address waits among its guessers.
 */

import { callingNetwork } from "../domain/access/calling-network.ts";
import type { Clock } from "../lib/clock.ts";
import { type MarkLane, markId } from "./marks.ts";
import { type Attempt, THROTTLE, Throttle, type ThrottleLimits, type Trier } from "./throttle.ts";

export const ACCOUNT_LANE = {
  freeFailures: 30,
  firstMs: 500,
  mostMs: 10_000,
  memoryMs: 15 * 60_000,
  mostKeys: 10_000,
  mostWaiting: 10,
} as const satisfies ThrottleLimits;

export const ADDRESS_LANE = {
  freeFailures: 100,
  firstMs: 250,
  mostMs: 5_000,
  memoryMs: 15 * 60_000,
  mostKeys: 10_000,
  mostWaiting: 20,
  isShared: true,
} as const satisfies ThrottleLimits;

const KNOWN_PAIRS = { forMs: 24 * 3_600_000, most: 20_000 } as const;

export type Who = {
  readonly kind: "user" | "administrator";
  /** Undefined where the proof names its owner itself, and can't be guessed. */
  readonly name: { readonly login: string; readonly tenant: string } | undefined;
  readonly origin: string;
};

export type Lane = "pair" | "account" | "address";
/** `code`: tries with the right password and wrong codes, which `totp/code-limiter.ts` holds up. */
export type SlowedLane = Lane | "code";

export type SlowedSignIn = {
  /** Names it for `forget`. */
  readonly id: string;
  readonly lane: SlowedLane;
  readonly kind: Who["kind"] | undefined;
  readonly login: string | undefined;
  readonly tenant: string | undefined;
  readonly origin: string | undefined;
  readonly failures: number;
  /** Until the next try is looked at. */
  readonly waitMs: number;
};

type Key<In extends MarkLane = Lane> = { readonly lane: In; readonly key: string };

/** What the site's other boxes are to know of an attempt's end. */
export type Settled = {
  readonly failed: readonly (Key & { readonly failures: number; readonly memoryMs: number })[];
  /** They had failures. */
  readonly succeeded: readonly Key[];
  /** Who wasn't known, or not for much longer. */
  readonly proved: { readonly key: string; readonly memoryMs: number } | undefined;
};

export type SignInAttempt = Omit<Attempt, "end"> & {
  /** `proved`: whom a success proved, where that was not known before. */
  end(outcome: Parameters<Attempt["end"]>[0], proved?: Who["name"]): Settled;
  /** Whose place a wait for a hash takes: their own for those who are known here, else their address's. */
  readonly asker: string;
};

export class SignInThrottle {
  readonly #clock: Clock;
  readonly #lanes: Readonly<Record<SlowedLane, Throttle>>;
  readonly #provedAtMs = new Map<string, number>();

  /** `codes` is the code limiter's: it is shown and forgotten here, and slows no sign-in down by itself. */
  constructor(clock: Clock, codes: Throttle = new Throttle(clock)) {
    this.#clock = clock;
    this.#lanes = {
      pair: new Throttle(clock, LIMITS.pair),
      account: new Throttle(clock, LIMITS.account),
      address: new Throttle(clock, LIMITS.address),
      code: codes,
    };
  }

  /** Takes a place for a try; "refuse" when too many wait already. */
  enter(who: Who): SignInAttempt | "refuse" {
    const keys = keysOf(who);
    const isKnown = keys.pair !== undefined && this.#isKnown(keys.pair);
    const lanes: readonly Lane[] = isKnown ? ["pair"] : ["pair", "account", "address"];
    const attempts: (Key & { readonly attempt: Attempt })[] = [];
    for (const lane of lanes) {
      const key = keys[lane];
      if (key === undefined) continue;
      const attempt = this.#lanes[lane].enter(key, this.#trierIn(lane, keys));
      if (attempt === "refuse") {
        for (const taken of attempts) giveBack(taken.attempt);
        return "refuse";
      }
      attempts.push({ lane, key, attempt });
    }
    const away = attempts.flatMap(({ attempt: { sentAway } }) => sentAway ?? []);
    return {
      waitMs: Math.max(0, ...attempts.map(({ attempt }) => attempt.waitMs)),
      ...(away.length > 0 && { sentAway: AbortSignal.any(away) }),
      asker: isKnown && keys.pair !== undefined ? keys.pair : callingNetwork(who.origin),
      begin: () => {
        for (const { attempt } of attempts) attempt.begin();
      },
      end: (outcome, proved = who.name) => {
        const { pair } = keysOf({ ...who, name: proved });
        const hadFailures = pair !== undefined && this.#lanes.pair.failuresOf(pair) > 0;
        // Who has an account of their own must not wash their address, or the account's other guessers, clean by it.
        for (const { lane, attempt } of attempts)
          attempt.end(outcome === "succeeded" && lane !== "pair" ? "undecided" : outcome);
        if (outcome === "failed") return { ...NOTHING, failed: attempts.map((one) => this.#failureOf(one)) };
        if (outcome !== "succeeded" || pair === undefined) return NOTHING;
        if (pair !== keys.pair) this.#lanes.pair.forget(pair);
        return {
          ...NOTHING,
          succeeded: hadFailures ? [{ lane: "pair", key: pair }] : [],
          proved: this.#noteProved(pair) ? { key: pair, memoryMs: KNOWN_PAIRS.forMs } : undefined,
        };
      },
    };
  }

  #trierIn(lane: Lane, { pair, account, address }: ReturnType<typeof keysOf>): Trier | undefined {
    const who = lane === "account" ? address : account;
    if (lane === "pair" || who === undefined || pair === undefined) return undefined;
    return { who, failures: this.#lanes.pair.failuresOf(pair) };
  }

  #failureOf({ lane, key }: Key): Settled["failed"][number] {
    const failures = this.#lanes[lane].takeUntold(key);
    return { lane, key, failures, memoryMs: LIMITS[lane].memoryMs };
  }

  /** What the site may have counted of them. */
  listKeys(who: Who): readonly Key<Lane | "proved">[] {
    const keys = keysOf(who);
    const known = keys.pair === undefined ? [] : [{ lane: "proved", key: keys.pair } as const];
    const counted = LANES.flatMap((lane) => {
      const key = keys[lane];
      return key === undefined ? [] : [{ lane, key }];
    });
    return [...counted, ...known];
  }

  learn(
    lane: SlowedLane | "proved",
    key: string,
    mark: { readonly failures: number; readonly ageMs: number } | undefined,
  ): void {
    if (lane !== "proved") this.#lanes[lane].learn(key, mark);
    // Who proved themselves here is known here, whatever became of the note.
    else if (mark !== undefined && !this.#isKnown(key)) this.#keepProved(key, mark.ageMs);
  }

  noteTold(lane: SlowedLane, key: string, how: Parameters<Throttle["noteTold"]>[1]): void {
    this.#lanes[lane].noteTold(key, how);
  }

  /** At most `most`, those that wait longest first; of one tenant's accounts alone where it is named. */
  list(most: number, tenant?: string): { readonly slowed: readonly SlowedSignIn[]; readonly total: number } {
    const known = SLOWED_LANES.flatMap((lane) => this.#lanes[lane].list().map((one) => describe(lane, one)));
    const all = tenant === undefined ? known : known.filter((one) => one.tenant === tenant);
    const sorted = all.sort((one, other) => other.waitMs - one.waitMs || other.failures - one.failures);
    return { slowed: sorted.slice(0, most), total: all.length };
  }

  listSlowedKeys(): readonly Key<SlowedLane>[] {
    return SLOWED_LANES.flatMap((lane) => this.#lanes[lane].list().map(({ key }) => ({ lane, key })));
  }

  /** What it was about; undefined when nobody of this id is slowed down any more. */
  forget(id: string): SlowedSignIn | undefined {
    for (const lane of SLOWED_LANES) {
      const one = this.#lanes[lane].list().find(({ key }) => markId(lane, key) === id);
      if (one === undefined) continue;
      this.#lanes[lane].forget(one.key);
      return describe(lane, one);
    }
    return undefined;
  }

  #isKnown(pair: string): boolean {
    const atMs = this.#provedAtMs.get(pair);
    return atMs !== undefined && this.#clock.monotonicMs() - atMs < KNOWN_PAIRS.forMs;
  }

  /** False where it is known for long enough anyway. */
  #noteProved(pair: string): boolean {
    const atMs = this.#provedAtMs.get(pair);
    if (atMs !== undefined && this.#clock.monotonicMs() - atMs < KNOWN_PAIRS.forMs / 2) return false;
    this.#keepProved(pair, 0);
    return true;
  }

  #keepProved(pair: string, ageMs: number): void {
    this.#provedAtMs.delete(pair);
    this.#provedAtMs.set(pair, this.#clock.monotonicMs() - ageMs);
    const oldest =
      this.#provedAtMs.size > KNOWN_PAIRS.most ? this.#provedAtMs.keys().next().value : undefined;
    if (oldest !== undefined) this.#provedAtMs.delete(oldest);
  }
}

const LANES: readonly Lane[] = ["pair", "account", "address"];
const SLOWED_LANES: readonly SlowedLane[] = [...LANES, "code"];
const LIMITS = { pair: THROTTLE, account: ACCOUNT_LANE, address: ADDRESS_LANE } as const satisfies Record<
  Lane,
  ThrottleLimits
>;
const NOTHING: Settled = { failed: [], succeeded: [], proved: undefined };

function keysOf({ kind, name, origin }: Who): Readonly<Record<Lane, string | undefined>> {
  const address = callingNetwork(origin);
  return {
    pair: name && JSON.stringify([kind, name.login, name.tenant, address]),
    account: name && JSON.stringify([kind, name.login, name.tenant]),
    address: JSON.stringify([address]),
  };
}

function giveBack(attempt: Attempt): void {
  attempt.begin();
  attempt.end("undecided");
}

function describe(
  lane: SlowedLane,
  { key, failures, waitMs }: { readonly key: string; readonly failures: number; readonly waitMs: number },
): SlowedSignIn {
  const parts = parseKey(key);
  const [kind, login, tenant, last] =
    lane === "address" ? [undefined, undefined, undefined, parts[0]] : parts;
  const origin = lane === "code" ? undefined : last;
  const known = kind === "user" || kind === "administrator" ? kind : undefined;
  return {
    id: markId(lane, key),
    lane,
    kind: known,
    login,
    tenant,
    origin,
    failures,
    waitMs: Math.round(waitMs),
  };
}

/** The keys are our own JSON of texts (`keysOf`); those of codes were once a number, which says nothing. */
function parseKey(key: string): readonly string[] {
  const parts: unknown = JSON.parse(key);
  return Array.isArray(parts) ? (parts as string[]) : [];
}
