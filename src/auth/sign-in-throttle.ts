/**
 * Whose failures slow whom down. Three lanes, each with its free failures and growing delay: an account from an
 * address, an account from anywhere (guessing spread over many addresses), an address towards any account (one
 * guesser, many names). A pair of account and address that proved itself lately uses the first lane alone: a person
 * under attack still gets in from where they always do, and so does a campus behind one address with a guesser in it.
 */

import { createHash } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import { type Attempt, THROTTLE, Throttle, type ThrottleLimits } from "./throttle.ts";

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

export type SlowedSignIn = {
  /** Names it for `forget`. */
  readonly id: string;
  readonly lane: Lane;
  readonly kind: Who["kind"] | undefined;
  readonly login: string | undefined;
  readonly tenant: string | undefined;
  readonly origin: string | undefined;
  readonly failures: number;
  /** Until the next try is looked at. */
  readonly waitMs: number;
};

export type SignInAttempt = Omit<Attempt, "end"> & {
  /** `proved`: whom a success proved, where that was not known before. */
  end(outcome: Parameters<Attempt["end"]>[0], proved?: Who["name"]): void;
  /** Whose place a wait for a hash takes: their own for those who are known here, else their address's. */
  readonly asker: string;
};

export class SignInThrottle {
  readonly #clock: Clock;
  readonly #lanes: Readonly<Record<Lane, Throttle>>;
  readonly #provedAtMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lanes = {
      pair: new Throttle(clock, THROTTLE),
      account: new Throttle(clock, ACCOUNT_LANE),
      address: new Throttle(clock, ADDRESS_LANE),
    };
  }

  /** Takes a place for a try; "refuse" when too many wait already. */
  enter(who: Who): SignInAttempt | "refuse" {
    const keys = keysOf(who);
    const isKnown = keys.pair !== undefined && this.#isKnown(keys.pair);
    const lanes: readonly Lane[] = isKnown ? ["pair"] : ["pair", "account", "address"];
    const attempts: { readonly lane: Lane; readonly attempt: Attempt }[] = [];
    for (const lane of lanes) {
      const key = keys[lane];
      if (key === undefined) continue;
      const attempt = this.#lanes[lane].enter(key);
      if (attempt === "refuse") {
        for (const taken of attempts) giveBack(taken.attempt);
        return "refuse";
      }
      attempts.push({ lane, attempt });
    }
    return {
      waitMs: Math.max(0, ...attempts.map(({ attempt }) => attempt.waitMs)),
      asker: isKnown && keys.pair !== undefined ? keys.pair : addressOf(who.origin),
      begin: () => {
        for (const { attempt } of attempts) attempt.begin();
      },
      end: (outcome, proved = who.name) => {
        // Who has an account of their own must not wash their address, or the account's other guessers, clean by it.
        for (const { lane, attempt } of attempts)
          attempt.end(outcome === "succeeded" && lane !== "pair" ? "undecided" : outcome);
        const { pair } = keysOf({ ...who, name: proved });
        if (outcome !== "succeeded" || pair === undefined) return;
        if (pair !== keys.pair) this.#lanes.pair.forget(pair);
        this.#noteProved(pair);
      },
    };
  }

  /** At most `most`, those that wait longest first; of one tenant's accounts alone where it is named. */
  list(most: number, tenant?: string): { readonly slowed: readonly SlowedSignIn[]; readonly total: number } {
    const known = LANES.flatMap((lane) => this.#lanes[lane].list().map((one) => describe(lane, one)));
    const all = tenant === undefined ? known : known.filter((one) => one.tenant === tenant);
    const sorted = all.sort((one, other) => other.waitMs - one.waitMs || other.failures - one.failures);
    return { slowed: sorted.slice(0, most), total: all.length };
  }

  /** What it was about; undefined when nobody of this id is slowed down any more. */
  forget(id: string): SlowedSignIn | undefined {
    for (const lane of LANES) {
      const one = this.#lanes[lane].list().find(({ key }) => idOf(lane, key) === id);
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

  #noteProved(pair: string): void {
    this.#provedAtMs.delete(pair);
    this.#provedAtMs.set(pair, this.#clock.monotonicMs());
    const oldest =
      this.#provedAtMs.size > KNOWN_PAIRS.most ? this.#provedAtMs.keys().next().value : undefined;
    if (oldest !== undefined) this.#provedAtMs.delete(oldest);
  }
}

const LANES: readonly Lane[] = ["pair", "account", "address"];

function keysOf({ kind, name, origin }: Who): Readonly<Record<Lane, string | undefined>> {
  const address = addressOf(origin);
  return {
    pair: name && JSON.stringify([kind, name.login, name.tenant, address]),
    account: name && JSON.stringify([kind, name.login, name.tenant]),
    address: JSON.stringify([address]),
  };
}

/** One of IPv6 has its whole network of 64 bits to call from. */
function addressOf(origin: string): string {
  if (!origin.includes(":") || /\d\.\d/.test(origin)) return origin;
  const [head = "", tail] = origin.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0");
  const network = [...left, ...zeros, ...right]
    .slice(0, 4)
    .map((part) => part.replace(/^0+(?=.)/, "").toLowerCase());
  return `${network.join(":")}::/64`;
}

function giveBack(attempt: Attempt): void {
  attempt.begin();
  attempt.end("undecided");
}

function describe(
  lane: Lane,
  { key, failures, waitMs }: { readonly key: string; readonly failures: number; readonly waitMs: number },
): SlowedSignIn {
  const parts = parseKey(key);
  const [kind, login, tenant, origin] =
    lane === "address" ? [undefined, undefined, undefined, parts[0]] : parts;
  const known = kind === "user" || kind === "administrator" ? kind : undefined;
  return {
    id: idOf(lane, key),
    lane,
    kind: known,
    login,
    tenant,
    origin,
    failures,
    waitMs: Math.round(waitMs),
  };
}

/** The keys are our own JSON of texts: `keysOf`. */
function parseKey(key: string): readonly string[] {
  return JSON.parse(key) as string[];
}

function idOf(lane: Lane, key: string): string {
  return createHash("sha256").update(`${lane} ${key}`).digest("hex").slice(0, 24);
}
